"""How well and how fast names are screened against watch lists.

    .venv/bin/python benchmarks/screening.py --lists DIR [--entries 100000] [--limit 0]

DIR holds UN_consolidated.xml, ofac_sdn.csv, ofac_add.csv, ofac_alt.csv and pairs/. The gates of docs/decisions/0027:

1. Recall: names of the UN's list are distorted in six ways, each drawn with a fixed seed, and screened against the
   UN's and OFAC's lists together; found is where the same entry is among the hits. A slip of the pen or another way
   of writing falls on a word of four letters or more where there is one. A word is left out, or made an initial,
   only where the name has three or more words that tell; of a person a middle one, of a firm not the first.
   `script` asks for the name in the script in which the UN also gives it, its words turned. Two slips in one name
   and a slip in the other script are told, too, and are no part of the gate.
2. Innocents: made-up names of persons (24 cultures, common given names with common families) and of firms, plus the
   persons and firms of pairs/nomenklatura_donations, against UN and OFAC together. None of them is on purpose on a
   list; chance hits count against us.
3. Speed: 2,000 names of both parts, drawn with the seed, one by one, in one process, against 100,000 entries:
   UN, OFAC and made-up ones.
4. F1 over labelled pairs: every two spellings of one name in pairs/nomenklatura_putin_names are one person; every
   spelling with each donor, and every two donors whose family names differ, are two. Beside it rapidfuzz's WRatio and,
   where nomenklatura is installed (pip install nomenklatura, in another environment), its LogicV2, each at its own
   best threshold. For each the innocents of part 2 that it flags at that threshold are counted, too.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from rapidfuzz import fuzz, process

from comity.registers.matching import Screener, Subject, compare_names, plain_name
from comity.registers.matching.words import FORMS
from comity.registers.sources import read_list
from comity.registers.values import EntryKind, ListedName, ListFormat, WatchEntry

try:
    from followthemoney import model
    from nomenklatura.matching import LogicV2, ScoringConfig
except ImportError:
    LogicV2 = None

SEED = 20260302
SPEED_SAMPLE = 2_000
# Told, and no part of the gate.
OUTSIDE = frozenset({"exact", "two typos", "script, slip"})
_VOWELS = "aeiou"
_VARIANTS = (
    ("kh", "h"),
    ("q", "k"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("sh", "ch"),
    ("j", "dj"),
    ("y", "i"),
    ("w", "v"),
    ("ck", "k"),
    ("ph", "f"),
    ("dh", "d"),
    ("th", "t"),
    ("z", "s"),
    ("mm", "m"),
    ("ss", "s"),
    ("a", "e"),
    ("u", "o"),
    ("i", "e"),
)


def _parts(text: str) -> list[str]:
    return text.split("|")


# Common given names and families by culture, written for this benchmark.
_PEOPLE = """
Ana Maria Carlos Jose Luis Lucia Elena Pablo Javier Rosa
|Garcia Fernandez Lopez Martinez Sanchez Perez Gomez Ruiz Diaz Moreno
Joao Pedro Tiago Beatriz Ines Rui Marta Paulo Sofia Duarte
|Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Sousa Carvalho
Jean Pierre Claire Camille Louis Julie Antoine Sophie Luc Marie
|Martin Bernard Dubois Moreau Laurent Simon Michel Lefevre Roux Fontaine
Hans Klaus Petra Sabine Jurgen Anna Lukas Felix Birgit Heike
|Muller Schmidt Schneider Fischer Weber Meyer Wagner Becker Hoffmann Koch
John Mary James Emma William Olivia Thomas Grace Henry Alice
|Smith Jones Taylor Brown Wilson Evans Walker Wright Hughes Green
Marco Luca Giulia Francesca Paolo Chiara Matteo Elisa Andrea Sara
|Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco
Jan Piet Anneke Willem Sanne Daan Lotte Bram Femke Joris
|de-Vries Jansen Bakker Visser Smit Meijer de-Boer Mulder Bos Vos
Erik Lars Ingrid Astrid Nils Karin Sven Linnea Gustav Freja
|Johansson Andersson Karlsson Nilsson Eriksson Larsson Hansen Olsen Jensen Nielsen
Matti Juha Aino Helmi Pekka Sanna Ville Liisa Antti Kaisa
|Korhonen Virtanen Makinen Nieminen Laine Heikkinen Koskinen Lehtonen Salonen Turunen
Piotr Krzysztof Agnieszka Katarzyna Tomasz Ewa Marek Zofia Adam Hanna
|Nowak Kowalski Wisniewski Wojcik Kaminski Lewandowski Zielinski Szymanski Dabrowski Mazur
Ivan Sergei Olga Natalia Dmitry Elena Alexei Tatiana Mikhail Irina
|Smirnov Kuznetsov Popov Sokolov Lebedev Kozlov Novikov Morozov Volkov Fedorov
Taras Oksana Bohdan Olena Andriy Iryna Mykola Halyna Yuriy Nadia
|Shevchenko Bondarenko Kovalenko Tkachenko Kravchenko Oliynyk Lysenko Savchenko Melnyk Koval
Jovan Milica Nikola Jelena Stefan Ana Marko Ivana Luka Sanja
|Jovanovic Petrovic Nikolic Markovic Djordjevic Horvat Kovacevic Babic Maric Novak
Yiannis Maria Nikos Eleni Kostas Katerina Giorgos Sofia Dimitris Vasiliki
|Papadopoulos Georgiou Nikolaidis Ioannou Makris Karagiannis Oikonomou Vlachos Dimou Antoniou
Mehmet Ayse Mustafa Fatma Emre Zeynep Murat Elif Burak Selin
|Yilmaz Kaya Demir Celik Sahin Yildiz Aydin Ozturk Arslan Dogan
Omar Fatima Khalid Layla Hassan Amina Yusuf Noura Tariq Salma
|Mansour Haddad Khoury Nasser Farouk Saleh Qasim Darwish Shaheen Bakri
Reza Maryam Ali Zahra Hossein Leila Mehdi Shirin Amir Parisa
|Ahmadi Karimi Mohammadi Rezaei Moradi Jafari Rahimi Kazemi Sadeghi Bagheri
Rahul Priya Amit Sunita Vikram Anjali Rajesh Kavita Sanjay Meera
|Sharma Patel Gupta Singh Kumar Reddy Iyer Joshi Mehta Nair
Imran Ayesha Bilal Sana Usman Hina Kamran Rabia Faisal Nadia
|Malik Chaudhry Qureshi Siddiqui Butt Raja Mirza Baig Sheikh Rana
Wei Fang Jun Li Min Jing Lei Yan Hui Xiu
|Wang Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu
Minh Lan Hung Thu Anh Mai Tuan Linh Duc Huong
|Nguyen Tran Le Pham Hoang Phan Vu Dang Bui Do
Haruto Yui Sota Hina Ren Sakura Kenji Yuki Takashi Keiko
|Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato
Kwame Ama Kofi Akosua Chidi Ngozi Emeka Adaeze Tunde Folake
|Mensah Owusu Boateng Okafor Adeyemi Okonkwo Eze Balogun Asante Nwosu
Juma Neema Baraka Zawadi Kamau Wanjiru Otieno Achieng Mwangi Njeri
|Kariuki Ochieng Wambui Kiprono Mutua Odhiambo Mushi Kimaro Banda Phiri
"""
_TRADES = _parts(
    "Shoes|Textiles|Foods|Furniture|Ceramics|Pharma|Toys|Steel|Plastics|Auto Parts|Tea|Coffee|"
    "Timber|Optics|Garments|Tools|Chemicals|Paper|Glass|Fisheries|Logistics|Trading|"
    "Import Export|Electronics|Machinery|Cosmetics|Seeds|Packaging"
)
_ROOTS = _parts(
    "Alpine|Baltic|Cedar|Delta|Evergreen|Falcon|Granite|Harbour|Iberia|Jade|Keystone|Lotus|"
    "Meridian|Nordic|Orchid|Pacific|Quartz|Riviera|Sunrise|Tulip|Union|Vega|Willow|Xenon|"
    "Yellow River|Zenith|Blue Bay|Silver Lake|Red Oak|Green Valley|Mont Blanc|Costa Verde|"
    "Terra Nova|Hansa|Sakura|Savanna|Atlas|Kilimanjaro|Danube|Oder|Rhein|Loire"
)
_LEGAL = _parts(
    "Ltd|GmbH|S.A.|S.r.l.|LLC|B.V.|Inc.|Oy|AB|Sp. z o.o.|Co., Ltd.|S.A. de C.V.|Pty Ltd|A.S.|d.o.o.|Pvt. Ltd."
)


def _people() -> list[str]:
    """Given names and families of each culture in one line."""
    return _PEOPLE.strip().replace("\n|", "|").splitlines()


def main() -> None:
    """Print every figure with its gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--show", type=int, default=0, help="how many misses and false hits to print")
    chosen = parser.parse_args()
    un, ofac = un_entries(chosen.lists), ofac_entries(chosen.lists)
    print(f"lists: UN {len(un)} entries, OFAC {len(ofac)}")
    measure_recall(un, [*un, *ofac], show=chosen.show)
    people = innocents(chosen.lists)
    measure_innocents([*un, *ofac], people, show=chosen.show)
    measure_speed([*un, *ofac], people, chosen.entries)
    measure_pairs(chosen.lists, people, [*un, *ofac])


def un_entries(lists: Path) -> tuple[WatchEntry, ...]:
    """The UN's list."""
    return read_list(ListFormat.UN, [("un.xml", (lists / "UN_consolidated.xml").read_bytes())]).entries


def ofac_entries(lists: Path) -> tuple[WatchEntry, ...]:
    """OFAC's list."""
    names = ("ofac_sdn.csv", "ofac_add.csv", "ofac_alt.csv")
    return read_list(ListFormat.OFAC, [(name, (lists / name).read_bytes()) for name in names]).entries


def distortions(entries: Sequence[WatchEntry], seed: int = SEED) -> Iterator[tuple[str, WatchEntry, str]]:
    """Kind of distortion, the entry, the distorted name."""
    chance = random.Random(seed)
    for entry in entries:
        words = re.sub(r"\(.*?\)", " ", entry.name).split()
        is_person = entry.kind is EntryKind.PERSON
        yield "exact", entry, entry.name
        yield "typo", entry, _with_word(words, chance, _typo)
        yield "variant", entry, _with_word(words, chance, _variant)
        if len(words) > 1:
            yield "two typos", entry, _with_word(_with_word(words, chance, _typo).split(), chance, _typo)
            yield "swapped", entry, " ".join([words[-1], *words[:-1]])
        telling = [place for place, word in enumerate(words) if _is_telling(word)]
        if len(telling) > 2:
            gone = chance.choice(telling[1:-1] if is_person else telling[1:])
            yield "missing", entry, " ".join(word for place, word in enumerate(words) if place != gone)
        if len(telling) > 2 and is_person:
            short = chance.choice(telling[:-1])
            yield "initial", entry, " ".join(f"{w[0]}." if place == short else w for place, w in enumerate(words))
        for name in entry.names[1:]:
            if not plain_name(name.text).is_latin and len(name.text.split()) > 1:
                words = name.text.split()
                yield "script", entry, " ".join([words[-1], *words[:-1]])
                yield "script, slip", entry, _with_word(words, chance, _left_out)
                break


def _is_telling(word: str) -> bool:
    """Whether a word is more than a legal form, a title or a particle."""
    told = plain_name(f"Aaa {word}").tokens
    return len(told) == 2 and len(told[1]) > 1


def _with_word(words: list[str], chance: random.Random, change: Callable[[str, random.Random], str]) -> str:
    long = [place for place, word in enumerate(words) if len(word) >= 4 and word.isalpha()] or [0]
    chosen = chance.choice(long)
    return " ".join(change(word, chance) if place == chosen else word for place, word in enumerate(words))


def _typo(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, max(2, len(word)))
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return chance.choice(
        (
            word[:place] + letter + word[place + 1 :],
            word[:place] + letter + word[place:],
            word[:place] + word[place + 1 :],
            word[: place - 1] + word[place : place + 1] + word[place - 1 : place] + word[place + 1 :],
        )
    )


def _left_out(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word)) if len(word) > 3 else 0
    return word[:place] + word[place + 1 :] if place else word


def _variant(word: str, chance: random.Random) -> str:
    plain = word.lower()
    fitting = [(a, b) for a, b in _VARIANTS if a in plain[1:]]
    if not fitting:
        return word
    a, b = chance.choice(fitting)
    return plain[0] + plain[1:].replace(a, b, 1)


def measure_recall(entries: Sequence[WatchEntry], listed: Sequence[WatchEntry], *, show: int = 0) -> float:
    """Recall by kind of distortion; all of them together must reach 97 %."""
    screener = Screener(listed)
    asked: dict[str, int] = {}
    found: dict[str, int] = {}
    for kind, entry, name in distortions(entries):
        asked[kind] = asked.get(kind, 0) + 1
        hits = screener.screen(Subject(name))
        if any(hit.entry is entry for hit in hits):
            found[kind] = found.get(kind, 0) + 1
        elif show and kind != "exact" and asked[kind] - found.get(kind, 0) <= show:
            print(f"  missed {kind}: {name!r} of {entry.name!r}")
    for kind, count in asked.items():
        print(f"recall {kind:10} {found.get(kind, 0) / count:6.1%} of {count}")
    distorted = [kind for kind in asked if kind not in OUTSIDE]
    recall = sum(found.get(kind, 0) for kind in distorted) / sum(asked[kind] for kind in distorted)
    print(f"recall of distorted UN names {recall:.2%} of {sum(asked[k] for k in distorted)} (gate 97 %)")
    return recall


def innocents(lists: Path, seed: int = SEED) -> list[str]:
    """Names of people and firms that no list is meant to have."""
    chance = random.Random(seed)
    names: list[str] = []
    for line in _people():
        given, families = (part.split() for part in line.split("|"))
        for first in given:
            for family in chance.sample(families, 7):
                names.append(f"{first} {family.replace('-', ' ')}")
            family, second = chance.choice(families), chance.choice(given)
            names.append(f"{first} {second} {family.replace('-', ' ')}")
    families = [word for line in _people() for word in line.split("|")[1].split()]
    for root in _ROOTS:
        names += [f"{root} {trade} {chance.choice(_LEGAL)}" for trade in chance.sample(_TRADES, 20)]
    for family in families:
        plain = family.replace("-", " ")
        names += [f"{plain} {trade} {chance.choice(_LEGAL)}" for trade in chance.sample(_TRADES, 6)]
        names.append(f"{plain} & Sons {chance.choice(_TRADES)} {chance.choice(_LEGAL)}")
    return [*names, *donors(lists)]


def donors(lists: Path) -> list[str]:
    """Persons, firms and associations of the donations."""
    wanted = {"Person", "Company", "Organization"}
    lines = (lists / "pairs" / "nomenklatura_donations.ijson").read_text().splitlines()
    entities = [json.loads(line) for line in lines]
    return sorted(
        {e["properties"]["name"][0] for e in entities if e["schema"] in wanted and e["properties"].get("name")}
    )


def measure_innocents(entries: Sequence[WatchEntry], names: Sequence[str], *, show: int = 0) -> float:
    """The share of innocents that is flagged; at most 0.5 %."""
    screener = Screener(entries)
    flagged = [(name, hits[0]) for name in names if (hits := screener.screen(Subject(name)))]
    for name, hit in flagged[:show]:
        print(f"  flagged {name!r} as {hit.listed!r} {hit.score}")
    share = len(flagged) / len(names)
    print(f"innocents flagged {share:.2%} of {len(names)} (gate 0.5 %)")
    return share


def filler(count: int, seed: int = SEED) -> Iterator[WatchEntry]:
    """Made-up entries, each with another name of its own."""
    chance = random.Random(seed)
    lines = [line.split("|") for line in _people()]
    onsets = _parts("b|c|d|f|g|h|j|k|l|m|n|p|r|s|t|v|z|sh|kh|br|dr|st")
    ends = _parts("n|r|l|s|m|k|t|d")
    for number in range(count):
        given, families = (part.split() for part in chance.choice(lines))
        made = "".join(chance.choice(onsets) + chance.choice(_VOWELS) for _ in range(chance.randint(2, 3)))
        name = f"{chance.choice(given)} {made.title()}{chance.choice(ends)} {chance.choice(families)}"
        other = f"{chance.choice(given)} {made.title()}{chance.choice(ends)}"
        yield WatchEntry(f"F{number}", EntryKind.PERSON, (ListedName(name), ListedName(other)))


def measure_speed(entries: Sequence[WatchEntry], names: Sequence[str], count: int) -> float:
    """Names a second against so many entries; at least 200."""
    listed = [*entries, *filler(max(0, count - len(entries)))]
    start = time.process_time()
    screener = Screener(listed)
    build = time.process_time() - start
    asked = [*names, *(name for kind, _, name in distortions(entries) if kind in {"typo", "variant"})]
    random.Random(SEED).shuffle(asked)
    asked = asked[:SPEED_SAMPLE]
    start = time.process_time()
    slowest = 0.0
    for name in asked:
        begun = time.process_time()
        screener.screen(Subject(name))
        slowest = max(slowest, time.process_time() - begun)
    spent = time.process_time() - start
    speed = len(asked) / spent
    names_held = sum(len(entry.names) for entry in listed)
    print(
        f"speed {speed:,.0f} names/s/core against {len(listed):,} entries with {names_held:,} names "
        f"(gate 200); slowest {slowest * 1e3:.0f} ms; index built in {build:.1f} s"
    )
    return speed


def labelled(lists: Path) -> list[tuple[str, str, bool]]:
    """Pairs of names, and whether they are one person."""
    texts = (lists / "pairs" / "nomenklatura_putin_names.txt").read_text().splitlines()
    spellings = sorted({text.strip() for text in texts if text.strip()})
    others = donors(lists)
    pairs = [(a, b, True) for a, b in combinations(spellings, 2)]
    pairs += [(a, b, False) for a in spellings for b in others]
    return pairs + [(a, b, False) for a, b in combinations(others, 2) if not set(_told(a)) & set(_told(b))]


def _told(name: str) -> list[str]:
    return [word for word in plain_name(name).tokens if word not in FORMS]


def best_f1(scored: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """F1 at the best threshold, and that threshold."""
    best = (0.0, 1.0)
    for threshold in (step / 100 for step in range(30, 100)):
        right = sum(score >= threshold and is_same for score, is_same in scored)
        wrong = sum(score >= threshold and not is_same for score, is_same in scored)
        missed = sum(score < threshold and is_same for score, is_same in scored)
        f1 = 2 * right / (2 * right + wrong + missed) if right else 0.0
        best = max(best, (f1, threshold))
    return best


def measure_pairs(lists: Path, names: Sequence[str], entries: Sequence[WatchEntry]) -> None:
    """F1 of the scorer and its peers."""
    pairs = labelled(lists)
    print(f"labelled pairs: {len(pairs)}, one person in {sum(same for _, _, same in pairs)}")
    ours = [(compare_names(plain_name(a), plain_name(b)), same) for a, b, same in pairs]
    f1, threshold = best_f1(ours)
    print(f"F1 {f1:.3f} at {threshold:.2f}  compare_names")
    theirs = [(fuzz.WRatio(a.casefold(), b.casefold()) / 100, same) for a, b, same in pairs]
    f1, threshold = best_f1(theirs)
    listed = [name.text.casefold() for entry in entries for name in entry.names]
    sample = random.Random(SEED).sample(list(names), min(200, len(names)))
    flagged = sum(
        process.extractOne(name.casefold(), listed, scorer=fuzz.WRatio, score_cutoff=threshold * 100) is not None
        for name in sample
    )
    print(
        f"F1 {f1:.3f} at {threshold:.2f}  WRatio; at it, innocents flagged {flagged / len(sample):.1%} of {len(sample)}"
    )
    _peer(pairs)


def _peer(pairs: Sequence[tuple[str, str, bool]]) -> None:
    if LogicV2 is None:
        print("nomenklatura is not installed here: LogicV2 is left out")
        return
    config = ScoringConfig.defaults()

    def person(name: str) -> object:
        return model.get_proxy({"id": name, "schema": "Person", "properties": {"name": [name]}})

    # Its scorer takes some milliseconds a pair: a tenth of them, drawn with the seed.
    sample = random.Random(SEED).sample(list(pairs), min(1_500, len(pairs)))
    scored = [(float(LogicV2.compare(person(a), person(b), config).score), same) for a, b, same in sample]
    ours = [(compare_names(plain_name(a), plain_name(b)), same) for a, b, same in sample]
    f1, threshold = best_f1(scored)
    same = best_f1(ours)[0]
    print(f"F1 {f1:.3f} at {threshold:.2f}  nomenklatura LogicV2 on {len(sample)} pairs; ours on the same {same:.3f}")


if __name__ == "__main__":
    main()
