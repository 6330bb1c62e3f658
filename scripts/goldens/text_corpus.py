#!/usr/bin/env python3
"""Writes tests/data/text/corpus.json: the texts whose token ids are compared with Hugging Face's.

Usage: text_corpus.py      (no packages needed; the same bytes every time)
"""
import json
import pathlib
import random

OUT = pathlib.Path(__file__).parents[2] / "tests/data/text/corpus.json"

WRITTEN = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n", "\n ", "\r\n", "\r\n\r\n", "\t", " \t \t ", "a", " a", "a ", " a ", "  a  ",
    "Hello, world!", "Hello,   world !", "It's we'll they're I'm you've he'd can't IT'S WE'LL THEY'RE",
    "'s 't 're 've 'm 'll 'd 'S 'T ''s x'sx", "don’t “quote” ‘single’ — dash … ellipsis",
    "The quick brown fox jumps over the lazy dog.", "1 12 123 1234 12345 123456 1234567 3.14159 1,000,000 0x1F 1e-9 ½ ² Ⅷ ٣ 三",
    "x=1;y=22;z=333;", "2024-02-29T12:34:56.789Z", "a1b22c333d4444", "   leading", "trailing   ", "tabs\there\t\tand\there",
    "line one\nline two\n\nline four\n   indented\n\ttabbed\r\nwindows\r\n", "a\u00a0b\u2003c\u3000d\u200be\ufefff\u0085g\u2028h",
    "\u001c\u001d\u001e\u001f \x0b\x0c", "\x00\x01\x02\x7f", "\u0378\ue000\uf8ff\ufffd\uffff\U0010ffff\U000e0001",
    # many languages
    "Zażółć gęślą jaźń. Příliš žluťoučký kůň. Árvíztűrő tükörfúrógép.", "Ça va? Où êtes-vous né·e? Œuvre, façade, naïve.",
    "Die Straße heißt Öffnungsstraße; GROẞ und groß.", "Съешь ещё этих мягких французских булок, да выпей чаю.",
    "Το ένα και το άλλο. Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.", "אָלֶף בֵּית — שלום עולם!", "مرحبًا بالعالم، كيف حالك؟ ١٢٣",
    "नमस्ते दुनिया! क्या हाल है? १२३", "வணக்கம் உலகம்", "สวัสดีชาวโลก ภาษาไทยไม่มีช่องว่าง", "မင်္ဂလာပါ ကမ္ဘာလောက",
    "你好，世界！今天天气怎么样？", "吾輩は猫である。名前はまだ無い。カタカナ ｶﾀｶﾅ", "안녕하세요 세계! 한국어 토큰화", "ሰላም ልዑል", "Բարեւ աշխարհ",
    "გამარჯობა მსოფლიო", "Xin chào thế giới — tiếng Việt có dấu", "İstanbul'da ığüşöç IĞÜŞÖÇ ſ 'ſ K'K",
    # emoji and combining marks
    "😀😃😄 🙂", "👩‍👩‍👧‍👦 👨🏽‍💻 🇩🇪🇯🇵 🏴\U000e0067\U000e0062\U000e007f", "e\u0301 \u00e9 A\u030a \u00c5 n\u0303 \u1e9b\u0323 \uac00 \u1100\u1161",
    "Z\u0351\u036b\u0343\u036aa\u0321l\u0322g\u0334o\u0337", "\u0301\u0301\u0301 \u0301", "q\u0307\u0323 q\u0323\u0307", "\u00af\u008f\u0432",
    # code
    "def f(x: int) -> int:\n    return x ** 2  # squared\n\n\nprint(f(3))\n",
    "for (int i = 0; i < n; ++i) {\n\tsum += a[i] * b[i];\n}\n", "#include <vector>\ntemplate <class T> T&& f(T&&... t) noexcept;",
    "<html><body class=\"x\">&amp;&#39;</body></html>", "SELECT * FROM t WHERE a <> 'b''c' -- comment\n", "{\"a\": [1, 2.5e-3, null], \"b\": {\"c\": \"\\u00e9\\n\"}}",
    "fn main() { println!(\"{:?}\", vec![1u8; 3]); }", "\\frac{a}{b} \\sum_{i=0}^{n} x_i^2 $$ %% @@", "https://example.org/a/b?c=d&e=f#g user@example.org",
    "````\n```python\n>>> 1\n```\n", "        eight\n            twelve\n                sixteen", "if(a&&b||!c)return~d^e|f;", "0b1010 0o17 1_000 .5 5. -1 +1 --1",
    "((((((((((", "!!!!!!!!!!???", "=====\n-----\n*****\n_____", "\\n\\t\\\\", "\u201c\u201d\u00ab\u00bb\u2039\u203a",
    # special tokens, whole, in part and next to things
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", "<|endoftext|>", "a<|endoftext|>b", "<|im_end|><|im_end|>", "<|im_end|> ", " <|im_end|>",
    "<|im_end", "|im_end|>", "<<|im_end|>>", "<|im_<|im_end|>end|>", "<|IM_END|>", "<| im_end |>", "<|im_end|", "<file_sep><gh_stars>", "<repo_name>a/b<reponame>",
    "[INST] <<SYS>> </s> <s> <unk> <pad> <0x0A>", "Ġhello Ċ ĉ Â", "<tool> text </tool> <too", "<|eot_id|><|start_header_id|>system<|end_header_id|>\n\n",
    # long runs
    "a" * 300, " " * 300, "\n" * 300, "ab" * 150, " a" * 150, "\t" * 100, "1" * 100, "é" * 100, "中" * 100, "😀" * 60, "\u0301" * 100,
    " \n" * 100, "!" * 200, "a" + " " * 100 + "b" + " " * 101, "\n \n  \n   \n", " \r\n \r\n", "x\n\n\n  y\n \n z",
]

POOLS = [
    "abcdefghij ", "ABCxyz'", "0123456789.,", " \t\n\r\u00a0\u3000", "'stremvld ", "éüßœñçåø", "абвгдежз ", "אבגד ", "ابتثج ",
    "中文字符测试", "かなカナ", "가나다라", "😀🎉🇩🇪👍🏽\u200d", "\u0301\u0308\u0327\u0323", "<|>_/ims", "(){}[]<>;:=+-*/\\\"#@!?$%^&~`", "½²Ⅷ٣१三", "\x00\x1b\x7f\u200b\ufeff\U0001d400",
]
WORDS = ["the", "return", "<|im_start|>", "<|im_end|>", "<tool>", "don't", "12345", "\r\n", "   ", "’s", "http://", "naïve"]


def main():
    rng = random.Random(20240229)
    texts = list(WRITTEN)
    for _ in range(400):
        text = ""
        for _ in range(rng.randint(1, 8)):
            pool = rng.choice(POOLS)
            text += rng.choice(WORDS) if rng.random() < 0.15 else "".join(rng.choice(pool) for _ in range(rng.randint(1, 7)))
        texts.append(text)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(texts, indent=0) + "\n")  # ASCII only: every character is visible
    print(f"{OUT.name}: {len(texts)} texts")


if __name__ == "__main__":
    main()
