"""The history of an attempt: written as it is made, and of a repeat put in the old one's place at the end."""

import pytest

from unidelta.records.attempt import Attempt
from unidelta.records.run_files import RunFiles


@pytest.mark.parametrize("is_repeat", [False, True])
def test_a_repeat_leaves_the_complete_history_until_it_has_its_own(is_repeat, tmp_path):
    files = RunFiles(folder=tmp_path, run_id="0" * 16)
    files.history.write_text('{"step":9}\n')
    attempt = Attempt(files, identity={}, machine={}, is_strict=True, is_repeat=is_repeat)
    attempt.log({"step": 1})
    assert files.history.read_text() == ('{"step":9}\n' if is_repeat else '{"step":1}\n')
    attempt.save(1, lambda folder: (folder / "state").write_text("1"))
    attempt.close()  # killed here, it goes on from its checkpoint, and the complete run is as it was
    again = Attempt(files, identity={}, machine={}, is_strict=True, is_repeat=is_repeat)
    assert again.before == ({"step": 1},) and again.resumed == 1
    again.log({"step": 2})
    again.put_history()
    assert files.history.read_text() == '{"step":1}\n{"step":2}\n' and not files.next_history.exists()
