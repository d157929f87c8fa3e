/** Builds the page's parts and connects them. */

import * as actions from "./actions.js";
import { Announcer } from "./announcer.js";
import { Answer } from "./answer.js";
import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { Dangers } from "./dangers.js";
import { $ } from "./dom.js";
import { EventList } from "./event_list.js";
import { Feed } from "./feed.js";
import { Hazards } from "./hazards.js";
import * as health from "./health.js";
import * as i18n from "./i18n.js";
import { Journal } from "./journal.js";
import * as login from "./login.js";
import { showNear } from "./near.js";
import { guard } from "./needs.js";
import { showDangers } from "./active_dangers.js";
import { SettingsView } from "./settings.js";
import * as views from "./views.js";

async function start() {
  guard();
  await i18n.choose(i18n.preferred());
  const dangers = new Dangers();
  const connection = new Connection();
  const hazards = new Hazards(dangers);
  const events = new EventList();
  const journal = new Journal();
  const settings = new SettingsView();
  const answer = new Answer();
  const announcer = new Announcer($("polite"), $("assertive"), $("announce"));
  let known = false;
  const showNow = () => {
    showDangers(dangers.list, known);
    hazards.show();
  };
  const forgetDangers = () => {
    known = false;
    dangers.clear();
    showNow();
  };
  hazards.onScores = () => showNear(hazards.scores);
  $("quiet").addEventListener("toggle", () => showNear(hazards.scores));
  const view = views.connect({ tune: (about) => hazards.open(about), journal: () => journal.open(), settings: () => settings.open() });

  const feed = new Feed("events", {
    event: (run, event) => {
      if (dangers.applyEvent(event)) showNow();
      events.add(run, event);
      // The answer's own place is a live region: it is not to be read out twice.
      if (!answer.applyEvent(event)) announcer.event(event);
    },
    gap: () => events.gap(),
    daemon: (up, run) => {
      connection.update({ daemon: up });
      if (up) events.recall(run);
      else {
        forgetDangers();
        health.showUnknown();
      }
    },
    web: (up) => connection.update({ web: up }),
  });

  actions.connect(answer);
  login.connect({
    locked: () => connection.update({ locked: true }),
    opened: () => {
      connection.update({ locked: false });
      feed.retryNow();
    },
  });
  chooser(view.retitle);
  showNow();
  feed.run();
  const camera = new Camera();
  camera.run();
  hazards.run();
  health.follow((status) => {
    connection.update({ well: health.isHealthy(status), daemon: true, answers: true });
    actions.showMuted(status);
    camera.showHealth(status.components);
    journal.offer(hazards.scores.hazards);
    const settled = dangers.applyStatus(status, hazards.scores.severities);
    if (settled || !known) {
      known = true;
      showNow();
    }
  }, () => {
    connection.update({ answers: false });
    forgetDangers();
  });
}

/** The language, chosen by hand. @param {() => void} retitle */
function chooser(retitle) {
  const select = $("language");
  select.value = i18n.current();
  select.addEventListener("change", async () => {
    i18n.remember(select.value);
    await i18n.choose(select.value);
    retitle();
  });
}

start();
