"""The words that samples are made of."""

from __future__ import annotations

# Words that say nothing about what a sentence is about.
STOP_WORDS = set(
    """
    a about above according after all also an and answer any are as at be because been before being
    below between both but by can could default did do document does down each either example first
    following for from get give had has have having he her here his how however i if in into is it its
    just make many may me might more most much must neither new no not note of on one only onto or other
    our out over own passage passages per please question said same say says see set shall she should so
    some such tell text than that the their them then there these they this those to two under up use
    used using very via was we were what when where which while who whom whose why will with within
    without would you your
    """.split()
)

# Syllables of made-up names.
CONSONANTS = """
    b c d f g h j k l m n p r s t v w z br cr dr fl gr kl pr st tr th sh
""".split()

VOWELS = """
    a e i o u a e i o ai ea io
""".split()

FIRST_NAMES = """
    Alice Bob Carol David Emma Frank Grace Henry Irene Jack Karen Leo Maria Nina Oscar Paula Quentin
    Rosa Simon Tara Ulrich Vera Walter Yara Zoe Amir Chen Dmitri Elena Farid Hana Ivan Jonas Keiko Luis
    Mira Noah Olga Pedro Ravi Sofia Tomas Uma Viktor Wanda
""".split()

PLACES = """
    Paris London Berlin Tokyo Madrid Rome Oslo Vienna Prague Lisbon Dublin Athens Cairo Nairobi Lima
    Quito Toronto Boston Chicago Denver Seattle Austin Sydney Delhi Mumbai Seoul Beijing Kyoto Lyon
    Milan Zurich Geneva Hamburg Munich Warsaw Krakow Riga Helsinki Bergen
""".split()

ATTRIBUTES = [
    "port",
    "capital",
    "color",
    "owner",
    "version",
    "price",
    "height",
    "address",
    "password",
    "deadline",
    "author",
    "manager",
    "size",
    "weight",
    "limit",
    "timeout",
    "license",
    "temperature",
    "population",
    "speed",
    "director",
    "birthday",
    "budget",
    "code name",
    "release date",
    "phone number",
    "room number",
    "serial number",
    "maximum length",
    "default value",
    "opening time",
    "battery life",
    "retention period",
    "warranty period",
]

THINGS = """
    server project library city engine router museum package bridge device team plugin database service
    cluster printer camera river station laptop company protocol ship compiler sensor
""".split()

COLORS = """
    red blue green yellow purple orange black white silver golden brown pink grey
""".split()

EMOJI = list("😀😂🎉🚀🔥🌍🍎🍕🐱🐶🌈⭐💡📦🎵❤👍🙏🦊🐢🌙⚡🍀🎁🏆🧩🔑📚🛠🧪")
OTHER_SCRIPTS = (
    "日本語中文字天気今人大学生山川水火木金土時間世界電話車東京北京上海愛友新年花月星海空風雨雪学校先生你"
    "好谢谢我是很高兴こんにちはありがとうさくらねこいぬカタカナテスト안녕하세요한국어감사합니다"
)
ACCENTED = """
    café naïve résumé über façade jalapeño señor Zürich Åre smörgåsbord crème brûlée São Paulo Łódź
    Привет мир Γειά σου déjà vu Ñandú Øresund háček šťastný
""".split()
