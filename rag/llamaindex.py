"""Our engine as LlamaIndex parts, for programs that are built on it.

    from rag import Assistant
    from rag.llamaindex import as_query_engine, as_retriever

    nodes = as_retriever(Assistant(), k=8).retrieve("gpt-oss licence")
    print(as_query_engine(Assistant()).query("Has OpenAI released an open-weight model?"))

LlamaIndex's global Settings are neither read nor written: left unset, they resolve to a service on
the internet.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle
from pydantic import ConfigDict

from corpus.nodes import to_node
from rag.answer import Hit
from rag.assistant import HITS, Assistant


class PassageRetriever(BaseRetriever):
    """BM25 and vectors, fused by reciprocal rank, as a LlamaIndex retriever.

    `since` and `until` are days, inclusive; an article without a date lies in no window.
    """

    def __init__(
        self,
        assistant: Assistant,
        k: int = HITS,
        since: date | str | None = None,
        until: date | str | None = None,
        publishers: list[str] | None = None,
    ) -> None:
        super().__init__()
        self._assistant = assistant
        self._k = k
        self._scope: dict[str, Any] = {"since": since, "until": until, "publishers": publishers}

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self._assistant.search(query_bundle.query_str, self._k, **self._scope)
        return [scored_node(hit) for hit in hits]


class AnswerEngine(CustomQueryEngine):
    """The whole of answering as a query engine. The Response's `source_nodes` are the hits, and
    its metadata is `Answer.to_dict()`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    assistant: Assistant

    def custom_query(self, query_str: str) -> Response:
        answer = self.assistant.ask(query_str)
        return Response(
            response=answer.text,
            source_nodes=[scored_node(hit) for hit in answer.hits],
            metadata=answer.to_dict(),
        )


def as_retriever(assistant: Assistant, **options: Any) -> PassageRetriever:
    """A LlamaIndex retriever over the assistant's library; options are PassageRetriever's."""
    return PassageRetriever(assistant, **options)


def as_query_engine(assistant: Assistant) -> AnswerEngine:
    """A LlamaIndex query engine that answers as `assistant` does."""
    return AnswerEngine(assistant=assistant)


def scored_node(hit: Hit) -> NodeWithScore:
    """A hit as LlamaIndex hands it on."""
    return NodeWithScore(node=to_node(hit.passage, hit.article), score=hit.score)
