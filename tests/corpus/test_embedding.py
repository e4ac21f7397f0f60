"""Embedders: the built-in one as it is, and models of a few hundred weights made here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from corpus.embedding import (
    BUILT_IN,
    BUILT_IN_PACKAGE,
    CompiledEmbedder,
    Embedder,
    TorchEmbedder,
    convert,
    fingerprint,
    load_embedder,
    locate,
)
from corpus.errors import ModelError
from corpus.library import Library
from corpus.settings import Settings

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", "passage", ":", "open", "weights", "model"]
PROMPTS = {"query": "query: ", "document": "passage: "}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model with random weights, prompts, and room for 16 tokens."""
    import torch
    from sentence_transformers import SentenceTransformer, models
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "vocab.txt").write_text("\n".join(WORDS), "utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        initializer_range=1.0,
    )
    BertModel(config).save_pretrained(folder / "hf")
    vocabulary = {word: n for n, word in enumerate(WORDS)}
    BertTokenizerFast(vocab=vocabulary, model_max_length=16).save_pretrained(folder / "hf")
    part = models.Transformer(str(folder / "hf"), max_seq_length=16)
    model = SentenceTransformer(modules=[part, models.Pooling(16)], prompts=PROMPTS, device="cpu")
    model.save(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def small(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> CompiledEmbedder:
    return CompiledEmbedder.open("tiny", tiny, tmp_path_factory.mktemp("models"))


def test_the_copy_gives_the_vectors_of_the_original(embedder: Embedder, bundled_home: Path) -> None:
    from sentence_transformers import SentenceTransformer

    library = Library.open(bundled_home)
    texts = [article.text for article in list(library.articles())[:2]]
    texts += [passage.text for passage, _ in library.passages(sorted(library.live())[:4])]
    assert max(map(embedder.count_tokens, texts)) > embedder.max_tokens, "one is too long"
    original = SentenceTransformer(str(locate(BUILT_IN)), device="cpu", local_files_only=True)
    expected = original.encode(texts, normalize_embeddings=True)
    assert float((expected * embedder.encode(texts)).sum(axis=1).min()) > 0.999
    assert embedder.count_tokens(texts[2]) == len(original.tokenizer(texts[2])["input_ids"])


def test_the_built_in_embedder_is_what_it_says(embedder: Embedder) -> None:
    assert (embedder.name, embedder.dimension, embedder.max_tokens) == (BUILT_IN, 384, 256)
    assert embedder.count_tokens("") == 2


def test_vectors_are_unit_whatever_the_text(embedder: Embedder) -> None:
    texts = ["", "a", "模型" * 500, "🚀", "word " * 2_000, "x" * 50_000]
    assert np.linalg.norm(embedder.encode(texts), axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert embedder.encode([]).shape == (0, 384)


def test_company_does_not_change_a_vector(embedder: Embedder) -> None:
    texts = [f"passage {n} " * n for n in range(1, 20)]
    alone = np.concatenate([embedder.encode([text]) for text in texts])
    assert (alone * embedder.encode(texts)).sum(axis=1) == pytest.approx(np.ones(19), abs=1e-4)


def test_prompts_differ_by_role(small: CompiledEmbedder, tiny: Path) -> None:
    original = TorchEmbedder("tiny", tiny, "cpu")
    for role in ("passage", "query"):
        ours, theirs = small.encode(["open model"], role), original.encode(["open model"], role)
        assert float((ours * theirs).sum()) > 0.999
    asked, said = small.encode(["open model"], "query"), small.encode(["open model"], "passage")
    assert float((asked * said).sum()) < 0.999


def test_the_prompt_counts_among_the_tokens(small: CompiledEmbedder) -> None:
    assert small.count_tokens("open weights") == 6  # [CLS] passage : open weights [SEP]
    assert (small.max_tokens, small.dimension) == (16, 16)


def test_the_torch_way_is_the_same_embedder(small: CompiledEmbedder, tiny: Path) -> None:
    torch_way = TorchEmbedder("tiny", tiny, "cpu")
    for name in ("fingerprint", "dimension", "max_tokens"):
        assert getattr(torch_way, name) == getattr(small, name)


@pytest.mark.parametrize("changed", ["model.safetensors", "modules.json", "1_Pooling/config.json"])
def test_a_changed_file_is_another_embedder(tiny: Path, tmp_path: Path, changed: str) -> None:
    copy = shutil.copytree(tiny, tmp_path / "copy")
    assert fingerprint(copy) == fingerprint(tiny)
    content = bytearray((copy / changed).read_bytes())
    content[-1] ^= 1
    (copy / changed).write_bytes(content)
    assert fingerprint(copy) != fingerprint(tiny)


def test_a_model_is_converted_once_and_again_when_it_changes(tiny: Path, tmp_path: Path) -> None:
    source = shutil.copytree(tiny, tmp_path / "source")
    settings = Settings(home=tmp_path, embedder=str(source))
    first = load_embedder(settings)
    (made,) = (tmp_path / "models" / "embedders").iterdir()
    stamp = (made / "manifest.json").stat().st_mtime_ns
    assert load_embedder(settings).fingerprint == first.fingerprint
    assert (made / "manifest.json").stat().st_mtime_ns == stamp
    config = json.loads((source / "config_sentence_transformers.json").read_text())
    config["prompts"]["query"] = "open "
    (source / "config_sentence_transformers.json").write_text(json.dumps(config))
    assert load_embedder(settings).fingerprint != first.fingerprint


def test_a_damaged_copy_is_told(tiny: Path, tmp_path: Path) -> None:
    for name in ("manifest.json", "tokenizer.json", "encoder.xml"):
        folder = tmp_path / name
        convert(tiny, folder)
        (folder / name).write_bytes(b"\xff{")
        with pytest.raises(ModelError, match="damaged") as caught:
            CompiledEmbedder("tiny", folder)
        assert "Delete that folder" in caught.value.remedy


def test_a_conversion_that_fails_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    source = shutil.copytree(tiny, tmp_path / "source")
    (source / "model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(ModelError):
        load_embedder(Settings(home=tmp_path / "home", embedder=str(source)))
    left = tmp_path / "home" / "models" / "embedders"
    assert not left.exists() or not list(left.iterdir())


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="holds no model"):
        load_embedder(Settings(home=tmp_path, embedder=str(tmp_path / "empty")))
    (tmp_path / "empty" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="can't be loaded"):
        load_embedder(Settings(home=tmp_path, embedder=str(tmp_path / "empty")))


@pytest.mark.parametrize("name", ["/no/such/folder", "./no-such-folder", "~/no-such-folder"])
def test_a_path_that_is_not_there_is_never_looked_up_elsewhere(name: str) -> None:
    with pytest.raises(ModelError, match="There is no folder"):
        locate(name)


def test_a_name_that_the_hub_can_not_give_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="neither a folder nor to be had"):
        locate("nobody/no-such-model")


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="is not installed"):
        locate(BUILT_IN)


def test_other_weights_under_the_built_in_name_are_refused(tiny: Path, tmp_path: Path) -> None:
    source = shutil.copytree(tiny, tmp_path / BUILT_IN_PACKAGE / "model")
    with pytest.raises(ModelError, match="are not the official ones"):
        convert(source, tmp_path / "out")
