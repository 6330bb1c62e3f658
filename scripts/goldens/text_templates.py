#!/usr/bin/env python3
"""Renders tests/data/text/templates/*.jinja with Jinja2, set up as Hugging Face's apply_chat_template sets it up.

Usage: text_templates.py      (pip install jinja2)

Writes tests/data/text/templates/rendered.json: per template, conversation (of conversations.json) and value of
add_generation_prompt the text, or the message the template raised, or null where Jinja2 fails otherwise.
"""
import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.sandbox

TEMPLATES = pathlib.Path(__file__).parents[2] / "tests/data/text/templates"


class Raised(Exception):
    pass


class Generation(jinja2.ext.Extension):
    """{% generation %} ... {% endgeneration %}: prints what it holds."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_print"), [], [], body).set_lineno(line)

    def _print(self, caller):
        return caller()


def raise_exception(message):
    raise Raised(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    return env


def main():
    env = environment()
    conversations = json.loads((TEMPLATES / "conversations.json").read_text())
    cases = []
    for path in sorted(TEMPLATES.glob("*.jinja")):
        template = env.from_string(path.read_text())
        for index, messages in enumerate(conversations):
            for prompt in (False, True):
                case = {"template": path.name, "conversation": index, "add_generation_prompt": prompt}
                try:
                    case["text"] = template.render(
                        messages=messages, tools=None, documents=None, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>"
                    )
                except Raised as raised:
                    case["raised"] = str(raised)
                except jinja2.TemplateError:
                    case["text"] = None
                cases.append(case)
    made_with = f"Jinja2 {jinja2.__version__}"
    (TEMPLATES / "rendered.json").write_text(json.dumps({"made_with": made_with, "cases": cases}, indent=0) + "\n")
    print(f"{len(cases)} cases, {sum('raised' in c for c in cases)} raised, {sum(c.get('text', '') is None for c in cases)} failed")


if __name__ == "__main__":
    main()
