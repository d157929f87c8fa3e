"""`teach` and `calibrate` from the command line to the detector, with the real starter."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.image_file import load_image
from daemon.cli.main import main
from daemon.config import reload_plan
from daemon.config.settings import Settings, load
from daemon.replay.footage import KEPT, MotionLog, score
from daemon.tools.teach import EncodedImages, chosen, report_lines, teach
from daemon.wiring.detector import DetectorReloader, build_detector
from daemon.wiring.models import load_model
from daemon.wiring.store import open_calibrations
from pipeline.calibration.blank_images import blank_images
from pipeline.calibration.few_shot import Estimate, FewShotHazard, LabelledEmbedding, read_few_shot
from pipeline.calibration.few_shot_fit import MOST_UNLIKE
from pipeline.calibration.normal_view import read_normal, write_normal
from pipeline.calibration.table import read_calibration, shipped_starter
from pipeline.detection.detector import Detector
from pipeline.detection.scorer import Outdated
from pipeline.models.embedding_heads import EmbeddingHeads, heads_path, write_heads
from pipeline.types import Encoding, PromptSet
from tests.daemon.living import own_cache
from tests.fakes import ColourModel, ListCamera, Logistic, plain

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, models: Path, warm_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(tmp_path / "state"))
    monkeypatch.setenv("WATCHWORD_PATHS__CACHE", str(warm_cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings_of(home: Path, models: Path) -> Settings:
    values = {"paths.models": str(models), "paths.state": str(home / "state")}
    return load(None, {"HOME": str(home), "XDG_CACHE_HOME": str(own_cache())}, values).settings


def draw(folder: Path, shape: str, count: int, seed: int = 0) -> Path:
    """Yellow stripes, or one blue disc, on a noisy ground."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    for number in range(count):
        picture = random.integers(0, 60, (120, 160, 3), dtype=np.uint8)
        shift = int(random.integers(5, 15))
        if shape == "stripes":
            for x in range(shift, 160, 30):
                cv2.rectangle(picture, (x, 10), (x + 12, 110), (0, 220, 255), -1)
        else:
            cv2.circle(picture, (70 + shift, 60), 30 + shift, (200, 60, 0), -1)
        cv2.imwrite(str(folder / f"{number:02}.png"), picture)
    return folder


def test_a_new_hazard_from_pictures_is_watched_for_and_forgotten(
    home: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stripes, other = draw(home / "stripes", "stripes", 6), draw(home / "other", "disc", 10)
    assert main(["teach", "barrier_tape", str(stripes)]) == 1
    assert "name at least 8 ordinary pictures with --unlike" in capsys.readouterr().err
    assert main(["teach", "barrier_tape", str(stripes), "--unlike", str(other)]) == 0
    assert "of 6 recognised" in capsys.readouterr().out
    place = home / "state/taught/barrier_tape.json"
    assert len(read_few_shot(place).like) == 6

    settings = settings_of(home, models)
    detector = build_detector(settings)
    hazard = next(h for h in detector.spec.hazards if h.name == "barrier_tape")
    assert (hazard.say, hazard.threshold) == ("Careful! barrier tape{where}.", 0.5)
    column = [h.name for h in detector.spec.hazards].index("barrier_tape")
    seen = [detector.detector.score_image(plain((0, 0, 0), 200))[1][column]]
    assert max(seen) < 0.5
    yes = draw(home / "more", "stripes", 3, seed=1)
    found = [detector.detector.score_image(load_image(p, 1280)[0])[1][column] for p in sorted(yes.iterdir())]
    assert max(found) > 0.5

    assert main(["teach", "barrier_tape", "--remove"]) == 0
    assert "barrier_tape" not in settings_of(home, models).hazards
    assert main(["teach", "barrier_tape", "--remove"]) == 1


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["Wet Floor", "x.png"], "small letters", 1),
        (["ice"], "show 1 to 50", 2),
        (["ice", "none.png"], "none.png", 1),
    ],
)
def test_what_cannot_be_taught_is_one_line(
    home: Path, words: list[str], said: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["teach", *words]) == code
    err = capsys.readouterr().err.splitlines()
    assert said in err[-1]
    assert "Traceback" not in "".join(err)


def test_calibrating_writes_says_and_goes_back(
    home: Path, models: Path, short_street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The street taken for harmless: its cars are then false alerts."""
    clip = str(short_street)
    manifest = home / "clips.csv"
    (home / "street.mp4").symlink_to(clip)
    manifest.write_text("file,label,start_s,end_s\nstreet.mp4,vehicle,1.2,3.9\n")
    common = ["calibrate", clip, "--false-alerts-per-hour", "20"]
    assert main([*common, "--labelled", str(manifest), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "cannot show 20 an hour" in said
    assert "labelled clips, before: 1 of 1 hazards alerted within 1 s" in said
    assert "moving camera: " in said or "still camera: " in said
    # A threshold that real cars have raised silences real cars: those seconds are for a person to look at.
    assert re.search(
        r"vehicle (needs 0\.\d+|is hardly ever announced) from now on, because of its alerts at second \d",
        said,
    )
    assert "if one of them was right, the footage is not harmless" in said
    assert not re.search(r"\bfire (needs|is hardly)", said)
    assert not (home / "state/calibration/starter.json").exists()

    assert main(common) == 0
    own = read_calibration(home / "state/calibration/starter.json")
    assert own.made is not None
    assert 95 < own.made.frames < 106
    assert own.made.false_alerts_per_hour == 20
    assert own.hazards["vehicle"].threshold > 0.5
    assert "-> 0" in capsys.readouterr().out
    settings = settings_of(home, models)
    assert build_detector(settings).thresholds["vehicle"] == pytest.approx(own.hazards["vehicle"].threshold)
    normal = np.load(home / "state/calibration/starter.normal.npz")
    assert len(normal["embeddings"]) == own.made.frames

    assert main(["calibrate", "--undo"]) == 0
    assert not (home / "state/calibration/starter.json").exists()
    assert main(["calibrate", "--undo"]) == 1


def labelled(home: Path) -> Path:
    """Four sources of a barrier and ten of nothing, all drawn."""
    draw(home / "barrier", "stripes", 4)
    draw(home / "nothing", "disc", 10)
    rows = [f"barrier/{i:02}.png,construction" for i in range(4)]
    rows += [f"nothing/{i:02}.png,safe" for i in range(10)]
    manifest = home / "pictures.csv"
    manifest.write_text("file,label\n" + "\n".join(rows) + "\n")
    return manifest


def test_lines_are_fitted_where_the_manifest_has_enough_and_stay(
    home: Path, short_street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["calibrate", str(short_street), "--false-alerts-per-hour", "20"]
    assert main([*common, "--labelled", str(labelled(home))]) == 0
    said = capsys.readouterr().out
    assert "4 photographs of it from 4 sources, 10 without" in said
    assert "fire                 not fitted, stays as it was: photographs of it from 0 sources" in said
    assert "recall on labelled pictures, before and now:\nconstruction" in said
    place = home / "state/calibration/starter.json"
    first = read_calibration(place)
    shipped = shipped_starter()
    barrier = first.hazards["construction"]
    assert barrier.measured is not None and barrier.measured.harmless == 10
    assert barrier.slope != shipped.hazards["construction"].slope
    assert first.hazards["fire"].measured is None
    assert first.hazards["fire"].slope == shipped.hazards["fire"].slope

    assert main(common) == 0
    again = read_calibration(place).hazards["construction"]
    assert (again.slope, again.offset, again.measured) == (barrier.slope, barrier.offset, barrier.measured)
    assert again.provenance.count("the line") == 1


def test_what_is_wrong_is_told_before_any_footage_is_watched(
    home: Path, short_street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The footage's progress would come first otherwise, an hour of it."""
    (home / "clip.mp4").symlink_to(short_street)
    missing, damaged = home / "none.csv", home / "damaged.csv"
    damaged.write_text("file,label\ndamaged.csv,safe\n")
    for manifest, reason in ((missing, "cannot be read"), (damaged, "is not a picture")):
        assert main(["calibrate", "clip.mp4", "--labelled", str(manifest)]) == 1
        told = capsys.readouterr()
        assert reason in told.err and "budget" not in told.out
    assert main(["calibrate", "no.mp4", "--labelled", str(labelled(home))]) == 1
    told = capsys.readouterr()
    assert "no.mp4" in told.err and not told.out
    (home / "state/calibration").rmdir()  # made for the damaged picture, before it was read
    (home / "state/calibration").write_text("")
    assert main(["calibrate", "clip.mp4"]) == 1
    told = capsys.readouterr()
    assert "state/calibration" in told.err and not told.out


def test_a_calibration_for_other_words_leaves_the_daemon_its_warnings_and_is_told(
    home: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(home, models)
    place = home / "state/calibration/starter.json"
    place.parent.mkdir(parents=True)
    shipped = open_calibrations(settings).shipped("starter")
    assert shipped is not None
    table = json.loads(shipped.model_dump_json())
    table["hazards"]["fire"]["fingerprint"] = "of other words"
    place.write_text(json.dumps(table))
    assert main(["replay", str(models / "demo/bikes.mp4")]) == 0
    told = capsys.readouterr()
    assert "other hazards or other words (fire)" in told.err
    assert "run `watchword calibrate` again" in told.err
    assert "vehicle" in told.out


def test_calibrating_needs_footage(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate"]) == 2
    assert "name footage" in capsys.readouterr().err
    (home / "one").mkdir()
    cv2.imwrite(str(home / "one/a.png"), plain((1, 2, 3)))
    assert main(["calibrate", str(home / "one")]) == 1
    assert "fewer than two frames" in capsys.readouterr().err


def test_a_long_recording_keeps_some_embeddings_of_all_its_length() -> None:
    model = ColourModel()
    assessor = Detector(model, model.bind(PromptSet((("fire", ()),), ())), Logistic())
    pictures = [plain((0, 0, 255 - i % 200)) for i in range(2 * KEPT + 50)]
    watched = score(ListCamera(pictures), assessor, longest_s=20)
    assert len(watched.footage.times_s) == 500
    assert KEPT // 2 <= len(watched.encodings) <= KEPT
    assert watched.footage.seconds == pytest.approx(20)


def test_a_recording_is_told_apart_into_stretches_of_a_moving_and_a_still_camera() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (120, 900, 3), dtype=np.uint8)
    wide = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8)
    shifts = [0] * 100 + [4 * step for step in range(100)] + [0] * 100
    pictures = [np.ascontiguousarray(wide[:, shift : shift + 160]) for shift in shifts]
    log = MotionLog()
    for number, picture in enumerate(pictures):
        log.add(picture, number / 5)
    assert log.moving(60.0) == ((20.0, 30.0), (30.0, 40.0))


def test_everything_of_an_older_embedding_is_set_aside_and_named(home: Path, models: Path) -> None:
    """As after an update that brings other heads: the daemon starts, and says what is not used."""
    settings = settings_of(home, models)
    state, model = settings.paths.state, load_model(settings)
    like, unlike = draw(home / "stripes", "stripes", 4), draw(home / "discs", "disc", 9)
    taught = teach(settings, model, "scooter", sorted(like.glob("*")), sorted(unlike.glob("*")))
    taught.model_copy(update={"model_fingerprint": "older"}).write(state)
    shipped = shipped_starter()
    low = {name: fit.model_copy(update={"threshold": 0.01}) for name, fit in shipped.hazards.items()}
    older = shipped.model_copy(update={"model_fingerprint": "older", "hazards": low})
    open_calibrations(settings).write(older)
    heads = EmbeddingHeads(
        ("fire",), "older", np.ones((2, 3), "f"), np.ones(2, "f"), np.ones((1, 2), "f"), np.ones(1, "f")
    )
    write_heads(heads, heads_path(state, "starter"))
    values = {"paths.models": str(models), "paths.state": str(state), "hazards.scooter.say_en": "Scooter."}
    environ = {"HOME": str(home), "XDG_CACHE_HOME": str(own_cache())}
    bundle = build_detector(load(None, environ, values).settings)
    assert bundle.outdated == Outdated(lessons=("scooter",), calibration=True, heads=True)
    shipped_fire = pytest.approx(shipped.hazards["fire"].threshold)
    assert bundle.thresholds["fire"] == shipped_fire, "what was shipped is used"
    assert read_normal(state, bundle.model) == ()


def test_what_is_taught_and_forgotten_holds_after_a_reload(home: Path, models: Path) -> None:
    stripes, other = draw(home / "stripes", "stripes", 4), draw(home / "other", "disc", 10)
    before = settings_of(home, models)
    sight = DetectorReloader(build_detector(before), before)
    assert main(["teach", "barrier_tape", str(stripes), "--unlike", str(other)]) == 0
    new = settings_of(home, models)
    running = reload_plan.merged(before, new, reload_plan.plan(before, new))
    assert "barrier_tape" in [h.name for h in sight.detector_for(running).spec.hazards]
    assert main(["teach", "barrier_tape", "--remove"]) == 0
    kept = sight.detector_for(running)
    assert "barrier_tape" in [h.name for h in kept.spec.hazards], "it goes with the next reload, not before"
    after = reload_plan.merged(running, before, reload_plan.plan(running, before))
    assert "barrier_tape" not in [h.name for h in sight.detector_for(after).spec.hazards]


def test_a_dark_lens_is_no_hazard_however_many_normal_views_there_are(home: Path, models: Path) -> None:
    """What `calibrate` left fills all places but those of empty pictures and of the demo."""
    settings = settings_of(home, models)
    stripes = draw(home / "stripes", "stripes", 4)
    model = load_model(settings)
    random = np.random.default_rng(0)
    views = [model.encode(random.integers(0, 255, (60, 80, 3), dtype=np.uint8)) for _ in range(5)]
    write_normal(settings.paths.state, model, views * 60)
    said: list[str] = []
    taught = teach(settings, model, "barrier_tape", sorted(stripes.iterdir()), [], said.append)
    names = [example.name for example in taught.unlike]
    assert len(names) == MOST_UNLIKE
    assert names.count("demo") == 40
    assert names.count("nothing to see") == len(blank_images(260))
    assert "harmless pictures were left out" in said[0]
    taught.write(settings.paths.state)
    detector = build_detector(settings_of(home, models), model)
    column = [h.name for h in detector.spec.hazards].index("barrier_tape")
    for grey in (0, 16, 128, 255):
        covered = np.full((480, 640, 3), grey, np.uint8)
        assert detector.detector.score_image(covered)[1][column] < 0.5


def test_too_many_harmless_pictures_are_thinned_evenly() -> None:
    def shown(name: str, count: int) -> EncodedImages:
        view = Encoding(np.ones(1, np.float32))
        return EncodedImages(tuple(f"{name}{i}" for i in range(count)), (view,) * count)

    few = chosen(shown("own", 100), shown("demo", 80), shown("empty", 10))
    assert len(few.names) == len(few.encodings) == 190
    many = chosen(shown("own", 700), shown("demo", 80), shown("empty", 10))
    kinds = [name.rstrip("0123456789") for name in many.names]
    assert (kinds.count("own"), kinds.count("demo"), kinds.count("empty")) == (250, 40, 10)
    own = [int(name[3:]) for name in many.names if name.startswith("own")]
    assert {b - a for a, b in pairwise(own)} == {2, 3}


def test_a_new_calibration_holds_after_a_reload_and_a_wrong_one_does_not(home: Path, models: Path) -> None:
    settings = settings_of(home, models)
    sight = DetectorReloader(build_detector(settings), settings)
    before = sight.detector_for(settings)
    assert sight.detector_for(settings) is before
    calibrations = open_calibrations(settings)
    shipped = calibrations.shipped("starter")
    assert shipped is not None
    fits = {name: fit.model_copy(update={"threshold": 0.8}) for name, fit in shipped.hazards.items()}
    place = calibrations.write(shipped.model_copy(update={"hazards": fits}))
    after = sight.detector_for(settings)
    assert after.thresholds["fire"] == pytest.approx(0.8)
    place.write_text("{}")
    with pytest.raises(ValueError, match="not a calibration"):
        sight.detector_for(settings)
    assert sight.detector_for(settings) is after


@pytest.mark.parametrize(("recognised", "told"), [(0, True), (1, True), (2, False), (4, False)])
def test_a_lesson_that_fails_on_its_own_pictures_is_told(recognised: int, told: bool) -> None:
    few = Estimate(
        like=4, recognised_by_words=0, recognised=recognised, unlike=100, false_by_words=0, false=0
    )
    shown = (LabelledEmbedding.of("a.jpg", np.ones(2, np.float32)),)
    lesson = FewShotHazard(
        hazard="gadget",
        model="m",
        model_fingerprint="f",
        words="",
        centre=0.0,
        deviation=1.0,
        boundary=0.0,
        estimate=few,
        made_at="2024-05-01T12:00:00+00:00",
        made_by="1",
        like=shown,
        unlike=shown,
    )
    assert any("gadget will seldom be announced" in line for line in report_lines(lesson)) is told
