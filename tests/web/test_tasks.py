"""Work in the background ends in one of three states, in order, and ends soon when nobody wants it."""

import threading

from quietlight.web.tasks import Desk, Task


def test_a_task_is_done_or_failed_or_cancelled():
    told: list[float] = []

    def work(tell):
        tell(0.5)
        told.append(task.share)
        task.cancel()
        tell(0.7)
        told.append(1.0)

    task = Task(work)
    task.run()
    assert (task.state, told) == ("cancelled", [0.5])
    failing = Task(lambda tell: [][0])
    failing.run()
    assert failing.state == "failed"
    assert isinstance(failing.error, IndexError)
    fine = Task(lambda tell: tell(1.0))
    assert not fine.is_over
    fine.run()
    assert fine.state == "done"
    assert fine.seconds_left is None


def test_what_was_cancelled_before_its_turn_is_never_begun():
    begun = []
    task = Task(lambda tell: begun.append(1))
    task.cancel()
    assert task.is_over
    task.run()
    assert not begun


def test_what_is_short_does_not_wait_for_what_is_long_and_the_rest_keeps_its_order():
    desk, go, order = Desk(), threading.Event(), []
    long = [desk.put(Task(lambda tell, n=n: (go.wait(60), order.append(n))), long=True) for n in range(3)]
    short = threading.Event()
    desk.put(Task(lambda tell: short.set()))
    assert short.wait(60)
    assert not any(task.is_over for task in long)
    last = threading.Event()
    desk.put(Task(lambda tell: last.set()), long=True)
    go.set()
    assert last.wait(60)
    assert order == [0, 1, 2]
    desk.close()


def test_the_end_cancels_everything_and_does_not_wait_for_ever():
    desk, begun, never = Desk(), threading.Event(), threading.Event()
    stuck = desk.put(Task(lambda tell: (begun.set(), never.wait(60), tell(0.5))), long=True)
    waiting = desk.put(Task(lambda tell: None), long=True)
    assert begun.wait(60)
    desk.close(patience=0.05)
    assert waiting.state == "cancelled"
    assert not stuck.is_over
    never.set()
