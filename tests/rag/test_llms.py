from __future__ import annotations

import json
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from corpus.errors import ModelError, UsageError
from rag import llms
from rag.llms import estimated_tokens, installed, load_generator, pull

QUESTION = "What licence does gpt-oss have?"


class ModelServer(BaseHTTPRequestHandler):
    """Answers "It is Apache 2.0." in both protocols, word by word, and keeps the requests."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        if body["model"] == "absent":
            return self._reply(404, "application/json", [json.dumps({"error": "no such model"})])
        form = {"/v1/chat/completions": self._openai, "/api/chat": self._ollama}[self.path]
        words = ["It", " is", " Apache", " 2.0."]
        return self._reply(200, *form(words))

    def _openai(self, words):
        chunks = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in words]
        chunks = [{"id": "x", "object": "chat.completion.chunk", **chunk} for chunk in chunks]
        events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return "text/event-stream", [*events, "data: [DONE]\n\n"]

    def _ollama(self, words):
        messages = [{"message": {"role": "assistant", "content": word}} for word in words]
        messages.append({"message": {"role": "assistant", "content": ""}, "done": True})
        return "application/x-ndjson", [json.dumps(message) + "\n" for message in messages]

    def _reply(self, status, kind, parts):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        for part in parts:
            self.wfile.write(part.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelServer)
    server.requests = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def dead_url():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def drafted(generator, evidence):
    return list(generator.draft(QUESTION, [evidence], []))


def test_openai_protocol(server, tmp_path, evidence_of, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    generator = load_generator(f"openai/org/m@2@{server.url}/v1", tmp_path)
    assert drafted(generator, evidence_of("It is Apache 2.0."))[-3:] == [" is", " Apache", " 2.0."]
    ((_, headers, body),) = server.requests
    assert generator.name == "openai/org/m@2"
    assert body["model"] == "org/m@2"
    assert (body["temperature"], body["stream"]) == (0.0, True)
    assert body["max_tokens"] == llms.MAX_NEW_TOKENS
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert headers["Authorization"] == "Bearer none"


def test_ollama_protocol(server, tmp_path, evidence_of, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    generator = load_generator("ollama/qwen3:4b", tmp_path)
    assert "".join(drafted(generator, evidence_of("It is Apache 2.0."))) == "It is Apache 2.0."
    ((_, _, body),) = server.requests
    assert body["model"] == "qwen3:4b"
    options = body["options"]
    assert options["num_ctx"] == generator.context_window
    assert (options["temperature"], options["num_predict"]) == (0.0, llms.MAX_NEW_TOKENS)


def test_a_server_that_is_not_there_is_told_with_a_remedy(
    dead_url, tmp_path, evidence_of, monkeypatch
):
    monkeypatch.setenv("OLLAMA_HOST", dead_url)
    for name in ("ollama/m", f"openai/m@{dead_url}/v1"):
        with pytest.raises(ModelError) as caught:
            drafted(load_generator(name, tmp_path), evidence_of("It ships."))
        assert dead_url in caught.value.remedy


def test_a_model_that_the_server_lacks_is_told(server, tmp_path, evidence_of, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    for name in ("ollama/absent", f"openai/absent@{server.url}/v1"):
        with pytest.raises(ModelError, match="no such model"):
            drafted(load_generator(name, tmp_path), evidence_of("It ships."))


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    """A folder with a random Llama of two layers and a tokenizer of the letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    letters = {letter: n for n, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    config = LlamaConfig(
        vocab_size=len(letters),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=2048,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="!",
        chat_template="{% for m in messages %}{{ m.content }}\n{% endfor %}",
    ).save_pretrained(folder)
    return folder


def test_a_transformers_folder_streams_the_same_greedy_text_each_time(
    tiny_model, tmp_path, evidence_of, monkeypatch
):
    monkeypatch.setattr(llms, "MAX_NEW_TOKENS", 8)
    generator = load_generator(f"hf/{tiny_model}", tmp_path)
    first = drafted(generator, evidence_of("It ships."))
    assert first
    assert drafted(generator, evidence_of("It ships.")) == first
    assert generator.context_window == 2048
    assert generator.count_tokens("seven l") == 7


def test_an_error_inside_transformers_ends_the_stream(tiny_model, tmp_path, evidence_of):
    generator = load_generator(f"hf/{tiny_model}", tmp_path)

    def broken(**_):
        raise RuntimeError("out of memory")

    generator.llm._model.generate = broken
    with pytest.raises(ModelError, match="out of memory"):
        drafted(generator, evidence_of("It ships."))


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="can't be loaded"):
        load_generator(f"hf/{tmp_path}", tmp_path)


def test_extractive_needs_nothing(tmp_path):
    assert load_generator("extractive", tmp_path).name == "extractive"


@pytest.mark.parametrize("name", ["gpt-9", "", "cloud/x", "ollama/", "hf/", "openai/"])
def test_unknown_names_list_the_forms(tmp_path, name):
    with pytest.raises(UsageError, match="ollama/<name>, openai/<model>@<base url>, hf/"):
        load_generator(name, tmp_path)


@pytest.mark.parametrize("name", ["openai/gpt-5", "openai/m@", "openai/@http://a", "openai/m@a:1"])
def test_openai_never_falls_back_to_a_default_address(tmp_path, name):
    with pytest.raises(UsageError, match="names no server"):
        load_generator(name, tmp_path)


def test_a_missing_extra_is_told_with_the_command_that_mends_it(tmp_path, monkeypatch):
    monkeypatch.setattr(llms, "_importable", lambda module: False)
    with pytest.raises(ModelError) as caught:
        load_generator("ollama/m", tmp_path)
    assert caught.value.remedy == "Run `pip install -c constraints.txt -e '.[ollama]'`."
    assert [state.present for state in installed(tmp_path)] == [True, False, False, False, False]


def test_installed_lists_all_and_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from pathlib import Path; from rag.llms import installed;"
        f"print(*(state.name for state in installed(Path({str(tmp_path)!r}))), sep='|');"
        "print(set(sys.modules) & {'torch', 'llama_index.core', 'openvino', 'numpy', 'ollama'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, heavy = done.stdout.splitlines()
    assert names.split("|") == [
        *("extractive", "smollm2"),
        *("ollama/<name>", "openai/<model>@<base url>", "hf/<repo or folder>"),
    ]
    assert heavy == "set()"


def test_a_module_whose_parent_is_missing_is_not_importable():
    assert not llms._importable("no_such_package.part")
    assert llms._importable("json.decoder")


def test_only_smollm2_can_be_pulled(tmp_path):
    with pytest.raises(UsageError, match="can't be pulled"):
        pull("ollama/m", tmp_path, print)


def test_estimated_tokens_never_falls_below_two_bytes_a_token():
    assert estimated_tokens("") == 0
    assert estimated_tokens("abc") == 2
    assert estimated_tokens("é") == 1
