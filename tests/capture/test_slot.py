from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.slot import LatestSlot, SlotPolicy

NEWEST, EVERY = SlotPolicy.NEWEST, SlotPolicy.EVERY


@given(st.lists(st.booleans(), max_size=60))
def test_newest_keeps_the_last_and_counts_the_rest(puts: list[bool]) -> None:
    slot: LatestSlot[int] = LatestSlot(NEWEST)
    waiting, taken, put = None, 0, 0
    for is_put in puts:
        if is_put:
            assert slot.put(put)
            waiting, put = put, put + 1
        else:
            assert slot.pop(0) == waiting
            taken += waiting is not None
            waiting = None
    assert put == taken + slot.skipped + (waiting is not None)


def test_every_refuses_a_second_item_in_time() -> None:
    slot: LatestSlot[int] = LatestSlot(EVERY)
    assert slot.put(1, 0.01)
    assert not slot.put(2, 0.01)
    assert slot.pop(0) == 1
    assert slot.skipped == 0


@pytest.mark.parametrize("policy", list(SlotPolicy))
def test_what_was_left_before_closing_may_be_taken(policy: SlotPolicy) -> None:
    slot: LatestSlot[int] = LatestSlot(policy)
    slot.put(1)
    slot.close()
    slot.close()
    assert not slot.put(2, 5)
    assert slot.closed
    assert slot.pop(5) == 1
    assert slot.pop(5) is None


def test_an_empty_slot_is_waited_for_no_longer_than_asked() -> None:
    assert LatestSlot[int](NEWEST).pop(0.01) is None


@pytest.mark.parametrize("policy", list(SlotPolicy))
def test_closing_wakes_whoever_waits(policy: SlotPolicy) -> None:
    slot: LatestSlot[int] = LatestSlot(policy)
    woken = threading.Event()

    def wait() -> None:
        slot.pop(30)
        woken.set()

    threading.Thread(target=wait, daemon=True).start()
    slot.close()
    assert woken.wait(5)


def test_closing_wakes_a_producer_under_back_pressure() -> None:
    slot: LatestSlot[int] = LatestSlot(EVERY)
    slot.put(1)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(slot.put(2, 30)), daemon=True)
    waiting.start()
    slot.close()
    waiting.join(5)
    assert answers == [False]


def test_every_item_arrives_in_order_between_threads() -> None:
    slot: LatestSlot[int] = LatestSlot(EVERY)

    def produce() -> None:
        for i in range(2000):
            assert slot.put(i, 5)
        slot.close()

    producer = threading.Thread(target=produce, daemon=True)
    producer.start()
    taken = list(iter(lambda: slot.pop(5), None))
    producer.join(5)
    assert taken == list(range(2000))


def test_newest_never_goes_back_and_loses_nothing_uncounted() -> None:
    slot: LatestSlot[int] = LatestSlot(NEWEST)

    def produce() -> None:
        for i in range(5000):
            slot.put(i)
            if i % 500 == 0:
                time.sleep(0)  # lets the consumer in
        slot.close()

    producer = threading.Thread(target=produce, daemon=True)
    producer.start()
    taken = list(iter(lambda: slot.pop(5), None))
    producer.join(5)
    assert taken == sorted(set(taken))
    assert taken[-1] == 4999
    assert len(taken) + slot.skipped == 5000


def test_several_producers_and_consumers_share_a_slot() -> None:
    slot: LatestSlot[int] = LatestSlot(EVERY)
    taken: list[int] = []

    def produce(start: int) -> None:
        for i in range(start, start + 300):
            assert slot.put(i, 10)

    def consume() -> None:
        while (item := slot.pop(10)) is not None:
            taken.append(item)

    producers = [threading.Thread(target=produce, args=(k * 300,), daemon=True) for k in range(3)]
    consumers = [threading.Thread(target=consume, daemon=True) for _ in range(3)]
    for thread in producers + consumers:
        thread.start()
    for thread in producers:
        thread.join(20)
    slot.close()
    for thread in consumers:
        thread.join(20)
    assert sorted(taken) == list(range(900))
