"""Romanian as the authors score it, against what their six programs print.

The expected tokens are the output of Moses' Perl programs and the WMT 2016 scripts themselves.
"""

import pytest
import sacrebleu

from unidelta.tasks.metrics.bleu import BLEU
from unidelta.tasks.metrics.bleu_romanian import BLEU_ROMANIAN
from unidelta.tasks.metrics.romanian import moses_tokens
from unidelta.tasks.metrics.scored import scored, signature

BOTH = (BLEU, BLEU_ROMANIAN)

AS_THE_PROGRAMS_PRINT = (
    ("„Da”, a spus el.", '" Da " , a spus el .'),
    ("El a zis: „Nu vreau,” și a plecat.", 'El a zis : " Nu vreau " , si a plecat .'),
    ("Pre\u021b: 1\xa0234,50 lei (circa 5 %)\u2026", "Pret : 1.234,50 lei ( circa 5 % ) ..."),
    ("ŞŢşţ ȘȚșț ĂăÂâÎî", "STst STst AaAaIi"),
    ("Dl. Popescu, nr. 5, art. 3, a venit. Apoi... da!", "Dl. Popescu , nr . 5 , art . 3 , a venit . Apoi ... da !"),
    ("\xab\xa0Bun\u0103\xa0\xbb", '" Buna "'),
    ("L-a văzut pe „Ion”.", 'L-a vazut pe " Ion " .'),
    ("o‘clock d’Artagnan ‘așa’", "o ' clock d ' Artagnan ' asa '"),
    ("mai\u200bmulte\xadr\xe2nduri", "mai multe randuri"),
    ("La 20:15 – 21:30, 3,5 km; 4.5 %", "La 20 : 15 - 21 : 30 , 3,5 km ; 4.5 %"),
    ('El a spus: "Bine."', 'El a spus : " Bine " .'),
    ("Ce?!..", "Ce ? ! .."),
    ("''citat'' și `altul`", "\" citat \" si ' altul '"),
    ("Vezi FoxNews.com.", "Vezi FoxNews.com ."),
    ("O.N.U. a votat; S.U.A. nu.", "O.N.U. a votat ; S.U.A. nu ."),
    ("(paranteză )și( alta) .", "( paranteza ) si ( alta ) ."),
    ("Ministrul — fost primar — a demisionat.", "Ministrul - fost primar - a demisionat ."),
    ("„A spus «da»”, crede „El Pais”.", '" A spus " da " " , crede " El Pais " .'),
    ("10\xa0000 de lei, 1.000.000 de euro", "10.000 de lei , 1.000.000 de euro"),
    ("etc. și altele. Dar nu.", "etc. si altele . Dar nu ."),
)


@pytest.mark.parametrize(("text", "expected"), AS_THE_PROGRAMS_PRINT)
def test_a_line_becomes_what_the_authors_programs_print(text: str, expected: str) -> None:
    assert moses_tokens(text) == expected


def both(predictions, references) -> dict[str, float]:
    return scored(BOTH, predictions, references).scores()


NEWS = (
    "Președintele a spus că țara își va ține promisiunile făcute alegătorilor.",
    "„Nu știu”, a răspuns el ieri seară, înainte să plece spre București.",
    "Prețul benzinei a crescut cu 3,5 % față de anul trecut, potrivit datelor.",
    "Mai mulți martori au fost audiați și în dosarul privind fosta direcție.",
)
_PLAIN = str.maketrans("șțăâîȘȚĂÂÎ", "staaiSTAAI")


def test_references_against_themselves_are_100_and_without_diacritics_in_one_way_only() -> None:
    assert [f"{score:.2f}" for score in both(NEWS, NEWS).values()] == ["100.00", "100.00"]
    stripped = [text.translate(_PLAIN) for text in NEWS]
    scores = both(stripped, NEWS)
    assert scores["bleu_romanian"] == pytest.approx(100)
    # sacreBLEU called directly, for the other
    assert scores["bleu"] == sacrebleu.corpus_bleu(stripped, [list(NEWS)]).score
    assert 10 < scores["bleu"] < 50


def test_both_scores_are_sacrebleus_of_the_corpus() -> None:
    shifted = [*NEWS[1:], NEWS[0]]
    mixed = [f"{a[:40]}{b[40:]}" for a, b in zip(NEWS, shifted, strict=True)]
    tokens = [[moses_tokens(text) for text in texts] for texts in (mixed, NEWS)]
    assert both(mixed, NEWS) == {
        "bleu": sacrebleu.corpus_bleu(mixed, [list(NEWS)]).score,
        "bleu_romanian": sacrebleu.corpus_bleu(
            tokens[0], [tokens[1]], tokenize="none", smooth_method="none", force=True
        ).score,
    }


def test_the_two_scores_are_apart_where_diacritics_are_missing() -> None:
    references = ["Președintele a spus că țara își va ține promisiunile făcute.", "„Nu știu”, a răspuns el ieri seară."]
    stripped = ["Presedintele a spus ca tara isi va tine promisiunile facute.", '"Nu stiu", a raspuns el ieri seara.']
    scores = both(stripped, references)
    assert scores["bleu_romanian"] == pytest.approx(100)
    assert scores["bleu"] < 50
    assert all(score == pytest.approx(100) for score in both(references, references).values())


def test_the_signature_names_both_ways() -> None:
    plain, romanian = signature(BOTH).split("; ")
    assert plain.startswith("bleu: ") and "tok:13a" in plain and "smooth:exp" in plain
    assert romanian.startswith("bleu_romanian: ") and "tok:none" in romanian and "smooth:none" in romanian
    assert "sacremoses" in romanian
