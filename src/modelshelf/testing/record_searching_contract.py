"""What a store of model records promises of finding them."""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

from functools import partial

from modelshelf.errors import DuplicateModelException, UnknownModelException
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.selector import And, Attribute, Not, Operator, Or, Order, Selector, Term
from modelshelf.schema.selector_matching import matches
from modelshelf.testing.blob_store_contract import error_of
from modelshelf.testing.record_service_case import RecordServiceCase, keys, lora

__all__ = ["RecordSearchingContract"]

_MAIN: dict[str, object] = {"type": "main", "format": "diffusers", "base": "sd-1"}
_SHELF: dict[str, dict[str, object]] = {
    "k1": lora("Straße", tags=["Ink", "line"], size=5, author="Ada", hash="blake3:ABcd12"),
    "k2": lora("straßE 2", base="sd-1", tags=["ink"], size=2**40, last_used_at=100.5),
    "k3": lora("100%", description="水墨画 with_under", license="cc-by"),
    "k4": _MAIN | {"name": "Harbour", "path": "harbour", "variant": "inpaint", "sha256": "ab" * 32},
    "k5": {
        "name": "kl-f8",
        "type": "vae",
        "format": "diffusers",
        "bases": ["sd-1", "sd-2"],
        "path": "vae/kl-f8",
        "source": "stabilityai/sd-vae-ft-mse",
        "trigger_phrases": [],
        "size": 5,
    },
    "K6": lora("plain", trigger_phrases=["a (fox:1.2)"], created_at=50.0, blake3="cd" * 32),
}
"""Records that differ in all that can be asked for."""


class RecordSearchingContract(RecordServiceCase):
    """Finding, sorting, paging and counting."""

    def fill(self) -> None:
        """Put records into the store that differ in all that can be asked for."""
        self.service.add_models(_SHELF)

    # -- by the document's names

    def test_searches_by_name_base_and_type(self) -> None:
        """All that is given must fit; the name exactly, the base as one of several."""
        self.fill()
        search = self.service.search_by_name
        assert keys(search("Straße")) == ["k1"]
        assert keys(search("straße")) == []
        assert keys(search(base="sd-1")) == ["k2", "k4", "k5"]
        assert keys(search(base="sd-2")) == ["k5"]
        assert keys(search(type="lora", base="sdxl")) == ["k3", "k1", "K6"]
        assert keys(search("Harbour", "sd-1", "main")) == ["k4"]
        assert keys(search("Harbour", "sd-2", "main")) == []
        assert search(type="nonsense") == search(base="") == []
        assert search() == self.service.all_models()
        by = self.service.search_by_attr
        assert keys(by(model_format="diffusers", model_type="vae")) == ["k5"]
        assert keys(by(model_name="plain", base_model="sdxl")) == ["K6"]

    def test_searches_by_path(self) -> None:
        """The path is compared as text; none and several are told."""
        self.fill()
        assert self.service.search_by_path("vae/kl-f8").key == "k5"
        for path in ("vae/KL-f8", "vae/./kl-f8", "vae", "", "\ud800", "a\0"):
            error = error_of(UnknownModelException, partial(self.service.search_by_path, path))
            assert str(error).encode()
        self.add("again", path="vae/kl-f8")
        several = error_of(
            DuplicateModelException, partial(self.service.search_by_path, "vae/kl-f8")
        )
        assert several.count == 2

    def test_names_are_not_unique(self) -> None:
        """Several models of one name are all found; who asks for one of them is told."""
        for key in "ab":
            self.add(key, "twin", path=f"/{key}/twin")
        self.add("c", "single", base="sd-1", bases=["sd-1", "sd-2"])
        assert keys(self.service.search_by_name("twin", "sdxl", "lora")) == ["a", "b"]
        assert keys(self.service.get_model_by_attr(name="twin")) == ["a", "b"]
        assert keys(self.service.get_model_by_attr(base="sd-2", type="lora")) == ["c"]
        ask = self.service.model_info_by_name
        error = error_of(DuplicateModelException, partial(ask, "twin", "sdxl", "lora"))
        assert error.count == 2
        error_of(UnknownModelException, partial(ask, "twin", "sd-1", "lora"))
        assert ask(name="single", base_model="sd-2", model_type="lora").key == "c"

    def test_searches_by_tags(self) -> None:
        """All of the tags are needed, whatever their case; none asks for nothing."""
        self.fill()
        search = self.service.search_by_tag
        assert keys(search(["ink"])) == ["k2", "k1"]
        assert keys(search(["INK", "line"])) == ["k1"]
        assert search(["ink", "nothing"]) == search(["in"]) == []
        assert search([]) == self.service.all_models()
        # Each of two tags alone has others besides.
        self.service.update_model("k3", {"tags": ["line", "wash"]})
        assert keys(search(["ink", "line"])) == keys(search(["line", "ink", "Line"])) == ["k1"]
        assert keys(search(["wash", "LINE"])) == ["k3"]
        assert keys(search(["ink", "line"] * 600)) == ["k1"]
        assert search(["ink", "line", "wash"]) == []

    def test_searches_by_hash(self) -> None:
        """Any hash finds its model, so do its first digits, with the algorithm's name or without."""
        self.fill()
        search = self.service.search_by_hash
        assert keys(search("abcd12")) == keys(search("blake3:AbCd")) == ["k1"]
        assert keys(search("ab" * 32)) == keys(search("sha256:" + "AB" * 5)) == ["k4"]
        assert keys(search("cdcd")) == ["K6"]
        assert search("ce") == search("cd" * 33) == []
        self.service.update_model("k1", {"hash": "blake3:ffff"})
        assert search("abcd12") == []
        assert keys(search("ffff")) == ["k1"]

    def test_finds_words(self) -> None:
        """Every word stands somewhere, as a part of another too, in any script and with any signs."""
        self.fill()
        find = self.service.find_text
        assert keys(find("STRASSE")) == ["k2", "k1"]
        assert keys(find("strasse line")) == ["k1"]
        for text in ("水墨", "墨", "水墨画", "with_under", "100%", "cc by", "%", "_u"):
            assert keys(find(text)) == ([] if text == "cc by" else ["k3"])
        assert keys(find("(fox:1.2)")) == keys(find("(FOX")) == ["K6"]
        assert keys(find("vae-ft stability")) == ["k5"]
        for odd in (
            '"',
            '"" OR',
            "a AND NOT",
            "NEAR(",
            "*",
            "x*",
            "'; --",
            "\0",
            "\ud800",
            "x" * 9000,
        ):
            assert [key for key in keys(find(odd)) if key not in _SHELF] == []
        assert find(" \n") == self.service.all_models()
        assert keys(find("s", limit=1, offset=1)) == keys(find("s"))[1:2]
        self.service.update_model("k3", {"description": "now something else"})
        assert find("水墨") == []
        assert keys(find("something else")) == ["k3"]
        self.service.del_model("k3")
        assert find("something else") == []

    # -- by selectors

    def test_selectors_mean_what_they_are_defined_to(self) -> None:
        """Every attribute with every operator selects exactly the records that fit by definition."""
        self.fill()
        records = self.service.all_models()
        values = (
            *(
                "ink",
                "STRASSE",
                "sd-1",
                "k",
                "",
                "100%",
                "_",
                "abab",
                "lora",
                "vae/",
                "cc-by",
                "ad",
            ),
            *(0, 5, 5.5, 100.5, -1, 2**70, -(2**70), float("inf"), float("nan"), 2**40 + 0.5),
            *("\ud800", "\0", "inpaint", "\U0010ffff"),
        )
        for attribute in Attribute:
            for operator in Operator:
                for value in values:
                    term = Term(attribute, operator, value)
                    expected = [one for one in records if matches(term, one)]
                    assert self.service.find(term) == expected, term
                    assert self.service.count(Not(term)) == len(records) - len(expected), term

    def test_conditions_combine(self) -> None:
        """And, or and not mean what they say, empty ones too."""
        self.fill()
        records = self.service.all_models()
        ink = Term(Attribute.TAG, Operator.IS, "ink")
        large = Term(Attribute.SIZE, Operator.MORE, 5)
        for selector in (
            And(()),
            Or(()),
            Not(And(())),
            And((ink, large)),
            And((ink, Not(large))),
            Or((ink, Term(Attribute.TYPE, Operator.IS, "VAE"))),
            Not(Or((ink, And((large, Or(())))))),
        ):
            self.compare(selector, records)

    def compare(self, selector: Selector, records: list[AnyModelConfig]) -> None:
        """Compare what the store selects with what fits by definition."""
        expected = [one for one in records if matches(selector, one)]
        assert self.service.find(selector) == expected, selector
        assert self.service.count(selector) == len(expected), selector

    # -- order and pages

    def test_lists_are_sorted(self) -> None:
        """By type, base, name and format; by code points; equal ones by key."""
        for key, name in (("c", "b"), ("b", "a"), ("a", "a"), ("e", "Z"), ("d", "ä"), ("f", "水")):
            self.add(key, name, base="sd-1")
        self.service.add_model("z", _MAIN | {"name": "a", "path": "a"})
        self.add("y", "z", base="any")
        assert keys(self.service.all_models()) == ["y", "e", "a", "b", "c", "d", "f", "z"]

    def test_long_names_are_sorted_to_their_ends(self) -> None:
        """Names that begin alike for long are told apart by what follows, and pages agree."""
        start = "水" * 60 + "same"
        for key, end in (("a", "c"), ("b", ""), ("c", "ab"), ("d", "a"), ("e", "b" * 900)):
            self.add(key, start + end)
        for order in (Order.DEFAULT, Order.NAME):
            find = partial(self.service.find, order=order)
            assert keys(find()) == ["b", "d", "c", "e", "a"]
            assert keys(find(descending=True)) == ["a", "e", "c", "d", "b"]
            assert keys(find(offset=1, limit=2)) == ["d", "c"]

    def test_every_order_goes_both_ways(self) -> None:
        """Records without the attribute are last in both, and equal ones are by key in both."""
        self.fill()
        find = self.service.find
        assert keys(find(order=Order.SIZE)) == ["k1", "k5", "k2", "K6", "k3", "k4"]
        assert keys(find(order=Order.SIZE, descending=True)) == ["k2", "k1", "k5", "K6", "k3", "k4"]
        assert (
            keys(find(order=Order.USED))[0]
            == keys(find(order=Order.USED, descending=True))[0]
            == "k2"
        )
        assert keys(find(order=Order.ADDED))[0] == "K6"
        assert keys(find(order=Order.ADDED, descending=True))[-1] == "K6"
        assert keys(find(order=Order.NAME)) == ["k3", "k4", "k1", "k5", "K6", "k2"]
        assert keys(find(order=Order.TYPE, descending=True)) == ["k5", "k4", "K6", "k1", "k2", "k3"]
        self.service.update_model("k5", {"tags": ["changed"]})
        assert keys(find(order=Order.CHANGED))[-1] == "k5"
        for order in Order:
            for descending in (False, True):
                assert sorted(keys(find(order=order, descending=descending))) == sorted(_SHELF)

    def test_pages_make_up_the_list(self) -> None:
        """Pages of any length, one after the other, are the whole list: nothing twice, nothing missing."""
        self.service.add_models((f"k{n}", lora(f"same {n % 3}", size=n % 2)) for n in range(20))
        for order in Order:
            for descending in (False, True):
                whole = self.service.find(order=order, descending=descending)
                for size in (1, 7, 20, 50):
                    pages = [
                        self.service.find(
                            order=order, descending=descending, offset=start, limit=size
                        )
                        for start in range(0, 20, size)
                    ]
                    assert [one for page in pages for one in page] == whole
        find = self.service.find
        assert find(limit=0) == find(offset=20) == find(offset=2**70, limit=2**70) == []
        assert keys(find(offset=18)) == keys(find())[18:]
