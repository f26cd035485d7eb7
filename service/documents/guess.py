"""Which legacy encoding a text is in, also when it is one line long.

Statistical detectors need paragraphs; the documents here are often a few fields. So each candidate decodes the text, and
what comes out is judged: letters that its languages use often, next to letters of their own kind, speak for it; signs
in the middle of words, rare ideographs and scripts mixed within a word speak against it. Below a minimum the
statistical detector decides.
"""

from collections.abc import Callable
from dataclasses import dataclass

_ALPHABETS: tuple[tuple[str, str], ...] = (
    # Encoding and the letters that one of its languages uses often (lower case). Order breaks ties.
    ("cp1252", "äöüß"),
    ("cp1252", "éèàçêôîùâûëïœ"),
    ("cp1252", "ñáíóúéü"),
    ("cp1252", "ãõçáéíóúâêô"),
    ("cp1252", "åæøäöé"),
    ("cp1252", "àèéìòù"),
    ("cp1250", "ąćęłńóśźż"),
    ("cp1250", "áčďéěíňóřšťúůýžľôä"),
    ("cp1250", "áéíóöőúüű"),
    ("cp1250", "ăâîşţ"),
    ("cp1250", "čćđšž"),
    ("cp1254", "ğışöüç"),
    ("cp1257", "āčēģīķļņšūž"),
    ("cp1257", "ąčęėįšųūž"),
    ("cp1257", "õäöü"),
)


@dataclass(frozen=True)
class _Script:
    """What is known of the words of a script that has one range of letters."""

    encoding: str
    first: str
    last: str
    frequent: str
    ending: str = ""
    """Letters that stand at the end of words only."""
    inner: str = ""
    """Letters that never stand there."""
    accented: str = ""
    """Where nearly every word in small letters has one accent: the letters that bear it."""
    vowels: str = ""
    """Where consonants seldom stand three in a row: the other letters."""


_CYRILLIC = "аеёиоуыэюяіїє"
_SCRIPTS: tuple[_Script, ...] = (
    _Script("cp1251", "Ѐ", "ӿ", "оеаинтсрвлкмдпуі", vowels=_CYRILLIC + "ьъй"),
    _Script("cp1253", "Ͱ", "Ͽ", "αοιετσνηυρπκλμςίόάέ", "ς", "βγδζθκλμπστφχψ", accented="άέήίόύώ"),
    _Script("cp1255", "֐", "׿", "יוהלאברמתנש", "ךםןףץ", "כמנפצ"),
    _Script("cp1256", "؀", "ۿ", "ايلمنترةوبهعدفقس", "ىة"),
    _Script("cp874", "฀", "๿", "านรเกอมงวทลยสตดบปคี่้ัิ"),
    _Script("koi8-r", "Ѐ", "ӿ", "оеаинтсрвлкмдпу", vowels=_CYRILLIC + "ьъй"),
    _Script("cp866", "Ѐ", "ӿ", "оеаинтсрвлкмдпу", vowels=_CYRILLIC + "ьъй"),
)
_SYLLABLES = frozenset(
    "이다는을의에가고하지로한서리아사기자도어나대은시정들라인해게그일제여보부구전장주수만과오상으스세유조동면소모안있비경무원공적러데미치니마까"
    "성관선거연생실방요트된할계신되었행람회했우중와재화드터내당체간물개문분외식단양민발업른같것르타입립금국학위없않영년월통레며속반건용진저았려운파예음판호"
    "래형말현심교점근록천크노란야능품규임별청차준산번합울특김박최남북군읍길층액율총급납명축료담표종목날짜불환송배달증확취결카좌출잔매견권열후상히"
)
"""Syllables that make nine tenths of Korean text. Japanese and Chinese in EUC give Korean ones too, but any."""

_KANJI = frozenset(
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問高代明実円"
    "関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平総加山思家話世受区領多"
    "県続進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元重近千考判認画海参売利組知案道信"
    "策集在件団別物側任引使求所次水半品昨論計死官増係感特情投示変打男基私各始島直両革価式確村提運終挙果西勢減台広容必応演電歳住争談能無再位置企"
    "真流格有疑口過局少放税検常町校料沢裁状工建語球営空職証土与急止送援供可役構木割聞身費付切由説難防補車優夫研収断井南石足消境番号株請納見積単"
    "量領郵便様店注支払込額残預口座印紙計数名称宛御貴丸谷崎藤井松岡村橋林清森池阿佐々木原"
)
_HANZI = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现"
    "当没动面起看定天分还进好小部其些主样理心前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并"
    "物手应战向头文体政美相见被利什二等产或新己制身果加西月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几"
    "口认条平系气题活更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指许统区保至队形社便决治展科司五基眼书非则"
    "却界达光放强即难且权王设式色路记南品住告类求据程北边死张该交规万取格术领共确师观清切院识候带导争运票号码价税额单购买销售方纳服务增值专用普"
    "银账户收款款据名称备注复核址县省城街楼室合同编电子邮箱付项元角整百千亿圆京沪广州深圳杭苏浙江津渝川湖福厦陕"
)
"""Characters that make most of Japanese text without kana, and of simplified Chinese: their codes are the same ones."""

Judge = Callable[[str, str, str], float]
"""A letter beyond ASCII, the characters before and after it → how plausible it is."""

_SIGNS = frozenset("€£§°–—“”„‘’…•©®™«»№±²³½×¥")
_TYPICAL = 0.55
"""Mean judgement from which a candidate is believed."""

_FEW = 8
_LIKELY = 0.35
"""Bytes beyond ASCII below which no detector is asked, and the judgement from which a candidate is then believed: a
letter that stands alone gives less."""

_SAMPLE = 8192
"""Bytes that are judged, from the first one beyond ASCII."""


def guess(data: bytes) -> str:
    """A Python codec name. The text need not decode without a fault."""
    first = next((at for at, byte in enumerate(data) if byte >= 0x80), 0)
    sample = data[max(first - 64, 0) :][:_SAMPLE]
    scored = [(_judged(one, judge, sample), -place, one) for place, (one, judge) in enumerate(_CANDIDATES)]
    score, _, encoding = max(scored)
    if score >= _TYPICAL:
        return encoding
    if (
        sum(byte >= 0x80 for byte in sample) < _FEW
    ):  # of a handful of bytes statistics find any script on earth
        return encoding if score >= _LIKELY else "cp1252"
    from charset_normalizer import from_bytes  # loaded for the texts that are none of the above

    match = from_bytes(data).best()
    return encoding if match is None else match.encoding


def _judged(encoding: str, judge: Judge, data: bytes) -> float:
    """Mean over the characters beyond ASCII, -1 to 1; a byte that does not decode counts -2."""
    text = data.decode(encoding, "replace").removesuffix("\ufffd")
    total = 0.0
    count = 0
    for at, letter in enumerate(text):
        if letter < "\x80":
            continue
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        total += -2.0 if letter == "\ufffd" or "\x80" <= letter < "\xa0" else judge(letter, before, after)
        count += 1
    return total / count if count else 0.0


def _alphabet(letters: str) -> Judge:
    common = frozenset(letters)

    def judge(letter: str, before: str, after: str) -> float:
        inside = before.isalpha() and after.isalpha()
        if not letter.isalpha():
            return -1.0 if inside and letter != "’" else 0.6 if letter in _SIGNS or letter == "\xa0" else -0.2
        if letter.isupper() and before.islower():
            return -0.8
        if (
            not before.isalpha() and not after.isalpha()
        ):  # a sign in another encoding, or a word of one letter
            return 0.1
        return 0.9 if letter.lower() in common else 0.0

    return judge


def _script(script: _Script) -> Judge:
    first, last, frequent, vowels = script.first, script.last, frozenset(script.frequent), script.vowels

    def judge(letter: str, before: str, after: str) -> float:
        if not first <= letter <= last:
            return 0.5 if letter in _SIGNS or letter == "\xa0" else -0.6
        if any(side.isascii() and side.isalpha() for side in (before, after)):
            return -1.0
        if letter.isupper() and before.islower():
            return -0.8
        inside = first <= before <= last and first <= after <= last
        if not inside and not any(first <= side <= last for side in (before, after)):
            return 0.3
        # Greek, Hebrew and Cyrillic share their bytes: how words are built tells them apart.
        if after.isalpha() or after in "'\"":  # Hebrew has marks of abbreviations inside of words
            if letter in script.ending:
                return -1.0
        elif letter in script.inner:
            return -1.0
        elif letter in script.ending:
            return 1.5
        if script.accented and letter.islower():
            return 1.9 if letter in script.accented else 0.75 if letter in frequent else 0.5
        small = letter.lower()
        if vowels and inside and not any(one in vowels for one in (before.lower(), small, after.lower())):
            return 0.4
        return 0.95 if small in frequent else 0.65

    return judge


def _japanese(letter: str, before: str, after: str) -> float:
    if "\u3040" <= letter <= "\u30ff" or letter in "、。「」・ー（）":
        return 1.0
    if "\uff61" <= letter <= "\uff9f":  # half-width kana: what Latin text looks like in Shift-JIS
        return -0.4
    return _ideograph(letter, before, after, "cp932", 0x88, 0x97, _KANJI)


def _korean(letter: str, _before: str, _after: str) -> float:
    if "가" <= letter <= "힣":
        lead, trail = letter.encode("cp949")
        if lead < 0xB0 or trail < 0xA1:  # syllables outside of KS X 1001 are rare
            return -0.5
        return 1.0 if letter in _SYLLABLES else 0.65
    return 0.2 if "\u4e00" <= letter <= "\u9fff" else _sign(letter)


def _simplified(letter: str, before: str, after: str) -> float:
    return _ideograph(letter, before, after, "gb18030", 0xB0, 0xD7, _HANZI)


def _traditional(letter: str, before: str, after: str) -> float:
    return _ideograph(letter, before, after, "big5", 0xA4, 0xC6)


def _ideograph(
    letter: str,
    before: str,
    after: str,
    encoding: str,
    first: int,
    last: int,
    frequent: frozenset[str] = frozenset(),
) -> float:
    """Ideographs of the standard's first level are the common ones; one alone in a Latin word is a misreading."""
    if not "\u4e00" <= letter <= "\u9fff":
        return _sign(letter)
    if before.isascii() and before.isalpha() and after.isascii() and after.isalpha():
        return -1.0
    code = letter.encode(encoding, "replace")
    if len(code) != 2:
        return -0.5
    if encoding == "gb18030" and code[1] < 0xA1:  # GBK's extension of GB 2312
        return -0.5
    if letter in frequent:
        return 1.0
    return (0.75 if frequent else 0.9) if first <= code[0] <= last else 0.1


def _sign(letter: str) -> float:
    return (
        0.7 if "\u3000" <= letter <= "\u303f" or "\uff01" <= letter <= "\uff5e" or letter in _SIGNS else -0.6
    )


_CANDIDATES: tuple[tuple[str, Judge], ...] = (
    *((encoding, _alphabet(letters)) for encoding, letters in _ALPHABETS),
    ("cp932", _japanese),
    ("cp949", _korean),
    ("gb18030", _simplified),
    ("big5", _traditional),
    ("euc_jp", _japanese),
    *((script.encoding, _script(script)) for script in _SCRIPTS),
)
