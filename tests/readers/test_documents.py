"""Documents in the shapes of retrievers."""

from __future__ import annotations

from typing import Any

import pytest

from curator.readers.documents import read_documents
from curator.records import Document

PARIS = Document("Paris is the capital.", "d1", 0.9, {"src": "wiki"})


@pytest.mark.parametrize(
    "value",
    [
        [{"id": "d1", "content": "Paris is the capital.", "score": 0.9, "metadata": {"src": "wiki"}}],
        {
            "documents": [
                {"id": "d1", "page_content": "Paris is the capital.", "score": 0.9, "metadata": {"src": "wiki"}}
            ]
        },
        '[{"document_id": "d1", "text": "Paris is the capital.", "relevance_score": "0.9", "metadata": "{\\"src\\": \\"wiki\\"}"}]',
        {
            "results": [
                {"document": {"id": "d1", "text": "Paris is the capital."}, "score": 0.9, "metadata": {"src": "wiki"}}
            ]
        },
        [[{"id": "d1", "text": [{"text": "Paris is the capital."}], "similarity": 0.9, "metadata": {"src": "wiki"}}]],
    ],
)
def test_a_document_is_found_by_its_words(value: Any) -> None:
    assert read_documents(value) == (PARIS,)


def test_a_score_or_an_id_may_stand_in_the_metadata() -> None:
    (document,) = read_documents([{"page_content": "x", "metadata": {"doc_uri": "wiki", "score": 0.5}, "id": None}])
    assert (document.id, document.score) == ("wiki", 0.5)


def test_texts_are_documents_and_what_has_no_text_is_none() -> None:
    assert read_documents(["a", " ", {"id": "d"}, 3]) == (Document("a"),)
    assert read_documents("not JSON") == ()
    assert read_documents(None) == ()
