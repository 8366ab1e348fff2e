import signal
import threading

import pytest

from minitorch.train.signals import stop_requests


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_is_recorded_and_the_handlers_are_restored(number):
    before = signal.getsignal(number)
    with stop_requests() as stops:
        signal.raise_signal(number)
        assert stops == [number]
    assert signal.getsignal(number) is before


@pytest.fixture
def handles_ctrl_c():
    """Handle Ctrl-C as in a terminal; a process that a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_second_ctrl_c_acts_at_once(handles_ctrl_c):
    with stop_requests() as stops:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stops == [signal.SIGINT]


def test_outside_of_the_main_thread_handlers_are_unchanged():
    seen = []

    def elsewhere():
        with stop_requests() as stops:
            seen.append((stops, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [([], signal.getsignal(signal.SIGINT))]
