"""Tiny models of each layout, with weights set by hand: all of them look for the word "proof".

Queries and keys are zero, so every token attends to all others alike; only "proof" has a vector,
which the values copy to the first token, and the head reads there. So support is high where the
word stands anywhere in what the model sees, and low where it doesn't, or was cut off.
"""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    T5Config,
    T5ForTokenClassification,
)

from corpus.errors import ModelError
from corpus.settings import Settings
from evals.judges import Claim, load_judge
from evals.judges.checkpoints import HHEM, HHEM_PROMPT, open_checkpoint, support_column

SIZE = 8
WORDS = (
    *("proof", "filler", "said", "it", "is", "##s", ".", "?", ":", "premise", "hypothesis"),
    *("determine", "if", "the", "true", "given"),
)
NLI = {0: "contradiction", 1: "entailment", 2: "neutral"}
PATTERN = torch.tensor([1.0, -1.0] * (SIZE // 2))
YES, NO = ("the proof is it.", "filler filler."), 3.0


def tokenizer_of(folder, special=("[PAD]", "[UNK]", "[CLS]", "[SEP]"), pair=True):
    """A WordPiece tokenizer whose special tokens are padding, unknown, start and end."""
    pad, unknown, start, end = special
    vocabulary = {word: i for i, word in enumerate((*special, *WORDS))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first = f"{start} $A {end}" if pair else f"$A {end}"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=first,
        pair=f"{first} $B:1 {end}:1",
        special_tokens=[(t, vocabulary[t]) for t in special],
    )
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if start == "[CLS]" else [])]
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=pad, unk_token=unknown, cls_token=start,
        sep_token=end, eos_token=end, model_input_names=names, model_max_length=10**9,
    ).save_pretrained(folder)  # fmt: skip
    return vocabulary


@torch.no_grad()
def look_for_proof(encoder, proof):
    """Set a BERT or RoBERTa encoder so that its first token tells whether `proof` is seen."""
    table = encoder.embeddings
    for embedding in (
        table.word_embeddings,
        table.position_embeddings,
        table.token_type_embeddings,
    ):
        embedding.weight.zero_()
    table.word_embeddings.weight[proof] = PATTERN
    for block in encoder.encoder.layer:
        for part in block.modules():
            if isinstance(part, torch.nn.Linear):
                part.weight.zero_()
                part.bias.zero_()
        block.attention.self.value.weight.copy_(torch.eye(SIZE))
        block.attention.output.dense.weight.copy_(100 * torch.eye(SIZE))


@torch.no_grad()
def set_head(linear, column):
    """Output `column` is +3 where the pattern is seen and -3 where not; all others are 0."""
    linear.weight.zero_()
    linear.bias.zero_()
    linear.weight[column] = PATTERN * 6 / SIZE
    linear.bias[column] = -NO


def sizes(**more):
    return {
        "hidden_size": SIZE, "intermediate_size": SIZE, "num_hidden_layers": 1,
        "num_attention_heads": 1, "max_position_embeddings": 32, **more,
    }  # fmt: skip


def tiny_bert(folder, labels, column):
    vocabulary = tokenizer_of(folder)
    names = {"id2label": labels, "label2id": {label: i for i, label in labels.items()}}
    model = BertForSequenceClassification(BertConfig(vocab_size=len(vocabulary), **sizes(**names)))
    look_for_proof(model.bert, vocabulary["proof"])
    with torch.no_grad():
        model.bert.pooler.dense.weight.copy_(9 * torch.eye(SIZE))  # tanh(9) is 1
        model.bert.pooler.dense.bias.zero_()
    set_head(model.classifier, column)
    model.save_pretrained(folder)
    return folder


def tiny_roberta(folder):
    """As MiniCheck is published: two nameless outputs, positions that begin behind the padding."""
    vocabulary = tokenizer_of(folder, ("<pad>", "<unk>", "<s>", "</s>"))
    config = RobertaConfig(
        vocab_size=len(vocabulary), **sizes(pad_token_id=0, bos_token_id=2, eos_token_id=3)
    )
    model = RobertaForSequenceClassification(config)
    look_for_proof(model.roberta, vocabulary["proof"])
    with torch.no_grad():
        model.classifier.dense.weight.copy_(9 * torch.eye(SIZE))
        model.classifier.dense.bias.zero_()
    set_head(model.classifier.out_proj, 1)
    model.save_pretrained(folder)
    return folder


def tiny_hhem(folder):
    """As HHEM-2.1-open is published: weights under "t5.", shared ones once, code beside them."""
    base = folder / "base"
    vocabulary = tokenizer_of(base, ("<pad>", "<unk>", "<s>", "</s>"), pair=False)
    config = T5Config(
        vocab_size=len(vocabulary), d_model=SIZE, d_kv=SIZE, d_ff=SIZE, num_layers=1, num_heads=1
    )
    config.save_pretrained(base)
    model = T5ForTokenClassification(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "layer_norm" not in name:
                weight.zero_()
        attention = model.transformer.encoder.block[0].layer[0].SelfAttention
        model.transformer.shared.weight[vocabulary["proof"]] = PATTERN
        attention.v.weight.copy_(torch.eye(SIZE))
        attention.o.weight.copy_(100 * torch.eye(SIZE))
    set_head(model.classifier, 1)
    weights = {f"t5.{name}": weight for name, weight in model.state_dict().items()}
    del weights["t5.transformer.encoder.embed_tokens.weight"]
    save_file(weights, folder / "model.safetensors")
    code = "modeling_hhem_v2.HHEMv2ForSequenceClassification"
    told = {"architectures": [HHEM], "model_type": "HHEMv2", "foundation": "base",
            "auto_map": {"AutoModelForSequenceClassification": code}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "modeling_hhem_v2.py").write_text("raise SystemExit('remote code was run')")
    return folder


def two_sided(checkpoint):
    """Support where the word stands in the context, and where it doesn't."""
    return checkpoint.support([(YES[0], "it is."), (YES[1], "it is.")])


@pytest.mark.parametrize(
    ("labels", "column"),
    [
        (NLI, 1),
        ({0: "entailment", 1: "neutral", 2: "contradiction"}, 0),
        ({0: "CONTRADICTION", 1: "NEUTRAL", 2: "ENTAILMENT"}, 2),
        ({0: "entailment", 1: "not_entailment"}, 0),
        ({0: "LABEL_0", 1: "LABEL_1"}, 1),
        ({0: "hallucinated", 1: "consistent"}, 1),
    ],
)
def test_the_labels_say_which_output_counts(labels, column, tmp_path):
    high, low = two_sided(open_checkpoint(str(tiny_bert(tmp_path, labels, column))))
    weights = torch.zeros(len(labels))
    weights[column] = NO
    assert high == pytest.approx(float(weights.softmax(-1)[column]), abs=1e-3)
    weights[column] = -NO
    assert low == pytest.approx(float(weights.softmax(-1)[column]), abs=1e-3)


def test_one_logit_is_a_sigmoid(tmp_path):
    high, low = two_sided(open_checkpoint(str(tiny_bert(tmp_path, {0: "LABEL_0"}, 0))))
    assert (high, low) == pytest.approx((0.9526, 0.0474), abs=1e-3)


@pytest.mark.parametrize(
    "labels",
    [
        {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"},
        {0: "ok", 1: "hallucination"},
        {0: "supported", 1: "entailment"},
    ],
)
def test_labels_that_do_not_tell_are_an_error(labels, tmp_path):
    with pytest.raises(ModelError, match="don't tell which output means support"):
        open_checkpoint(str(tiny_bert(tmp_path, labels, 0)))


def test_labels_that_contradict_each_other_are_an_error():
    with pytest.raises(ModelError):
        support_column("m", {"id2label": NLI, "label2id": {"entailment": 0}})


def test_label2id_tells_where_id2label_is_silent():
    nameless = {i: f"LABEL_{i}" for i in range(3)}
    assert support_column("m", {"id2label": nameless, "label2id": {"entailment": 2}}) == 2


def test_a_model_without_a_trained_head_is_an_error(tmp_path):
    vocabulary = tokenizer_of(tmp_path)
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes())).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"no classifier: it lacks classifier\.bias"):
        open_checkpoint(str(tmp_path))


def test_scores_do_not_depend_on_the_batch(tmp_path):
    checkpoint = open_checkpoint(str(tiny_bert(tmp_path, NLI, 1)))
    pairs = [("filler " * n + ("proof" if n % 3 else ""), "it is.") for n in range(20)]
    alone = [checkpoint.support([pair])[0] for pair in pairs]
    assert checkpoint.support(pairs) == pytest.approx(alone, abs=1e-4)
    assert [score > 0.5 for score in alone] == [bool(n % 3) for n in range(20)]


@pytest.mark.parametrize("place", [0, 15, 30, 59])
def test_nothing_of_a_long_context_is_cut_off(place, tmp_path):
    judge = load_judge(f"nli/{tiny_bert(tmp_path, NLI, 1)}", Settings(home=tmp_path))
    sentences = ["Filler said it is filler."] * 60
    lost = " ".join(sentences)
    sentences[place] = "Filler said it is proof."
    grades = judge.grades([Claim("it is.", (" ".join(sentences),)), Claim("it is.", (lost,))])
    assert [grade.passing for grade in grades] == [True, False]


def test_minicheck_is_read_as_it_was_trained(tmp_path):
    folder = tmp_path / "MiniCheck-tiny"
    checkpoint = open_checkpoint(str(tiny_roberta(folder)))
    high, low = two_sided(checkpoint)
    assert high > 0.9 > 0.1 > low
    ids = checkpoint.tokenizer(*checkpoint.write("it is", "the proof"))["input_ids"]
    read = checkpoint.tokenizer.convert_ids_to_tokens(ids)
    assert read == ["<s>", "it", "is", "</s>", "the", "proof", "</s>"]


def test_robertas_positions_are_counted_as_it_counts_them(tmp_path):
    checkpoint = open_checkpoint(str(tiny_roberta(tmp_path)))
    assert checkpoint.limit == 31  # 32 positions, the first of which is the padding's
    full = "filler " * (31 - 4)
    assert checkpoint.fits(full, "it")
    assert not checkpoint.fits(f"{full}filler", "it")
    assert checkpoint.support([(full, "it")])[0] < 0.5


def test_hhem_is_read_without_its_code(tmp_path):
    checkpoint = open_checkpoint(str(tiny_hhem(tmp_path)))
    (prompt,) = checkpoint.write("A.", "B.")
    assert prompt == HHEM_PROMPT.format(context="A.", statement="B.")
    assert checkpoint.tokenizer(prompt)["input_ids"][0] == checkpoint.tokenizer.pad_token_id
    assert two_sided(checkpoint) == pytest.approx([0.9526, 0.0474], abs=1e-2)


def test_hhem_with_other_weights_is_an_error(tmp_path):
    folder = tiny_hhem(tmp_path)
    save_file({"t5.classifier.bias": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="can't be loaded"):
        open_checkpoint(str(folder))


def test_hhem_without_its_foundation_says_what_is_missing(tmp_path):
    folder = tiny_hhem(tmp_path)
    config = json.loads((folder / "config.json").read_text()) | {"foundation": "google/absent"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="google/absent is neither a folder nor"):
        open_checkpoint(str(folder))


def test_a_name_that_is_not_there_is_told_with_a_remedy():
    with pytest.raises(ModelError, match="neither a folder nor to be had from the hub") as caught:
        open_checkpoint("cross-encoder/never-published")
    assert "hf download cross-encoder/never-published" in caught.value.remedy


@pytest.mark.parametrize("damage", ["config.json", "model.safetensors"])
def test_damaged_files_are_told(damage, tmp_path):
    folder = tiny_bert(tmp_path, NLI, 1)
    (folder / damage).write_bytes(b"{")
    with pytest.raises(ModelError, match="can't be loaded") as caught:
        open_checkpoint(str(folder))
    assert str(folder) in caught.value.remedy


@pytest.mark.parametrize("device", ["cuda:99", "no-such-device"])
def test_a_device_that_is_not_there_is_told(device, tmp_path):
    with pytest.raises(ModelError, match="can't be loaded") as caught:
        open_checkpoint(str(tiny_bert(tmp_path, NLI, 1)), device)
    assert device in caught.value.remedy


def test_the_fingerprint_follows_the_weights(tmp_path):
    one = open_checkpoint(str(tiny_bert(tmp_path / "1", NLI, 1))).fingerprint
    other = open_checkpoint(str(tiny_bert(tmp_path / "2", NLI, 0))).fingerprint
    assert one != other
    assert open_checkpoint(str(tmp_path / "1")).fingerprint == one
