"""What docs/fidelity.md says of mBART's tokenizer, with a sentencepiece model made here."""

from pathlib import Path

import pytest
import sentencepiece
import transformers as hf

TEXTS = [
    f"{word} fine 1⁄2 A1 ţară țară vă … ..." for word in ("rain", "closed", "the", "bridge", "harbour") for _ in "ab"
]
DIFFERENT = ("ﬁne", "½", "…", "Ａ１", "va\u0306", "t\u0326ară", "a\u200bb")
SAME = ("rain closed", "ţară", "vă", "rain   closed", "a\u00a0b", "A1 fine")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory):
    """sentencepiece itself, and what transformers makes of its file."""
    folder: Path = tmp_path_factory.mktemp("mbart")
    with (folder / "sentencepiece.bpe.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TEXTS), model_writer=file, vocab_size=45, minloglevel=2, hard_vocab_limit=False
        )
    hf.MBartConfig(d_model=8).save_pretrained(folder)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.bpe.model"))
    return theirs, hf.AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("text", [*SAME, *DIFFERENT])
def test_pieces_differ_where_the_page_says_so(text: str, pair) -> None:
    theirs, ours = pair
    assert (ours.tokenize(text) == theirs.encode(text, out_type=str)) == (text in SAME)


@pytest.mark.parametrize("text", ["ﬁne", "½", "…", "Ａ１", "va\u0306", "t\u0326ară"])
def test_rows_in_nfkc_give_the_same_pieces(text: str, pair) -> None:
    import unicodedata

    theirs, ours = pair
    assert ours.tokenize(unicodedata.normalize("NFKC", text)) == theirs.encode(text, out_type=str)
