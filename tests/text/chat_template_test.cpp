#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "text/golden_ids.h"

namespace ridgeline {
namespace {

using Messages = std::vector<Message>;

std::string template_source(const std::string& name) {
  std::ifstream file(std::string(RIDGELINE_TEST_DATA) + "/text/templates/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

std::string render(std::string_view source, const Messages& messages = {}) {
  return ChatTemplate(source).render(messages, false);
}

std::string repeat(std::string_view unit, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; i++) text += unit;
  return text;
}

// The id of the error that rendering ends with, and its message.
std::pair<std::string, std::string> refusal(std::string_view source, const Messages& messages = {}) {
  try {
    return {"none", render(source, messages).substr(0, 100)};
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_data) << e.what();
    return {e.id(), e.what()};
  }
}

TEST(ChatTemplate, RendersAsJinja2Does) {
  const auto conversations = read_json("templates/conversations.json");
  const auto rendered = read_json("templates/rendered.json");
  std::map<std::string, ChatTemplate> templates;
  for (const auto& c : rendered["cases"]) {
    const std::string name = c["template"];
    auto chat = templates.try_emplace(name, template_source(name), "<s>", "</s>").first;
    Messages messages;
    for (const auto& m : conversations[c["conversation"].get<size_t>()]) messages.push_back({m["role"], m["content"]});
    SCOPED_TRACE(name + ", conversation " + c["conversation"].dump());
    if (c.contains("raised")) {
      try {
        chat->second.render(messages, c["add_generation_prompt"]);
        ADD_FAILURE() << "did not raise";
      } catch (const Error& e) {
        EXPECT_EQ(e.id(), "template_raised");
        EXPECT_NE(std::string(e.what()).find(c["raised"]), std::string::npos);
      }
    } else if (c["text"].is_null()) {  // Jinja2 fails
      EXPECT_THROW(chat->second.render(messages, c["add_generation_prompt"]), Error);
    } else {
      EXPECT_EQ(chat->second.render(messages, c["add_generation_prompt"]), c["text"].get<std::string>());
    }
  }
  EXPECT_EQ(templates.size(), 27u);
  EXPECT_EQ(conversations.size(), 30u);
}

TEST(ChatTemplate, SaysWhereItIsMalformed) {
  for (auto [source, place] : std::vector<std::pair<std::string, std::string>>{{"a\nb {% if x %}", "line 2"},
                                                                               {"{%", "line 1"},
                                                                               {"{{-}}", "line 1"},
                                                                               {"\n\n{# comment", "line 3"},
                                                                               {"{{ 'text }}", "line 1"},
                                                                               {"{% endfor %}", "line 1"},
                                                                               {"{% unknown %}", "line 1"},
                                                                               {"{{ a b }}", "line 1"},
                                                                               {"\xFF", "UTF-8"}}) {
    auto [id, message] = refusal(source);
    EXPECT_EQ(id, "bad_template") << source;
    EXPECT_NE(message.find(place), std::string::npos) << message;
  }
  EXPECT_EQ(refusal(std::string(limits::template_bytes + 1, 'x')).first, "bad_template");
}

TEST(ChatTemplate, EndsATemplateThatAsksForTooMuch) {
  const std::string ns = "{% set ns = namespace(x='a') %}{% for i in range(64) %}";
  for (const std::string& source : std::vector<std::string>{
           "{% for i in range(30000) %}{% for j in range(30000) %}{% endfor %}{% endfor %}",
           "{{ 'a' * 10**8 }}",
           ns + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
           ns + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
           ns + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}",
           "{% set x = 'a' * 1000000 %}{{ x|replace('a', x)|length }}",
           "{{ (['a' * 1000000] * 100000)|join|length }}",
           "{{ ([1] * 10000000000)|list|length }}",
           "{{ 'a\nb'|indent(10**10)|length }}",
           "{{ '%1000000000d'|format(1)|length }}",
           "{% for i in range(10000) %}" + std::string(10000, 'y') + "{% endfor %}",
           "{% set x %}{% for i in range(50000) %}" + std::string(10000, 'y') + "{% endfor %}{% endset %}",
       })
    EXPECT_EQ(refusal(source).first, "template_limit") << source.substr(0, 100) << refusal(source).second;
}

TEST(ChatTemplate, RefusesEveryLaterRenderingOnceOneHadToBeAbandoned) {
  const ChatTemplate chat("{% if messages %}{{ 'a' * (messages|length * 10**8) }}{% else %}fine{% endif %}");
  EXPECT_EQ(chat.render({}, false), "fine");
  EXPECT_THROW(chat.render(Messages{{"user", "x"}}, false), Error);
  EXPECT_THROW(chat.render({}, false), Error);
}

// Knots of values that hold themselves: the leak checker of the sanitizers says whether all is given back.
TEST(ChatTemplate, GivesBackWhatHoldsItself) {
  EXPECT_EQ(render("{% set ns = namespace(a=1) %}{% set ns.me = ns %}{{ ns.me.me.a }}"), "1");
  EXPECT_EQ(render("{% set ns = namespace({'a b': 2}) %}{% set ns.all = [1, [ns]] %}{{ ns.all[1][0]['a b'] }}"), "2");
  EXPECT_EQ(
      render("{% set a = namespace() %}{% set b = namespace({'x y': a}) %}{% set a.b = {'b': b} %}{{ a.b.b == b }}"),
      "True");
  EXPECT_EQ(
      render("{% set ns = namespace(n=3) %}{% macro f() %}{{ ns.n }}{% endmacro %}{% set ns.f = f %}{{ ns.f() }}"),
      "3");
  EXPECT_EQ(render("{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}"), "3210");
  EXPECT_EQ(refusal("{% set ns = namespace() %}{% set ns.me = ns %}{{ raise_exception('no') }}").first,
            "template_raised");
  EXPECT_EQ(refusal("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}").first, "template_error");
}

TEST(ChatTemplate, SurvivesWhatNestsDeeply) {
  const size_t bytes = limits::template_bytes - 100;
  for (const std::string& source : std::vector<std::string>{
           "{{ " + repeat("(", bytes) + " }}", "{{ " + repeat("[", bytes) + " }}", "{{ " + repeat("-", bytes) + "1 }}",
           "{{ x" + repeat("|e", bytes / 2) + " }}", "{{ x" + repeat(".a", bytes / 2) + " }}",
           "{{ 1" + repeat("+1", bytes / 2) + " }}", "{{ x" + repeat("[0]", bytes / 3) + " }}",
           repeat("{% if 1 %}", bytes / 10), "{% if 1 %}" + repeat("{% elif 1 %}", bytes / 12) + "{% endif %}",
           "{{ " + repeat("not ", bytes / 4) + "1 }}",
           "{% set ns = namespace(x=1) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
           "{% set ns = namespace(x=1) %}{% for i in range(100000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ "
           "ns.x|tojson }}",
           "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
           "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"})
    refusal(source);  // an answer or an error: either is right, a crash is not
}

TEST(ChatTemplate, ReachesNothingButItsArguments) {
  EXPECT_EQ(refusal("{% include '/etc/passwd' %}").first, "template_error");
  EXPECT_EQ(refusal("{% import 'os' as os %}").first, "template_error");
  EXPECT_EQ(refusal("{% extends 'chat' %}").first, "template_error");
  EXPECT_EQ(refusal("{% include 'chat' %}").first, "template_error");
  EXPECT_EQ(refusal("{{ ''.__class__.__mro__ }}").first, "template_error");
  EXPECT_EQ(refusal("{{ cycler.__init__.__globals__ }}").first, "template_error");
  EXPECT_EQ(refusal("{{ debug() }}").first, "template_error");
  EXPECT_EQ(refusal("{{ messages.append(1) }}").first, "template_error");
}

// Ways in that work against interpreters with the host's objects behind them. None of them prints anything but what
// stands in it, and none sees the environment or a file.
TEST(ChatTemplate, GivesNothingAwayToPayloads) {
  ASSERT_EQ(setenv("RIDGELINE_TEST_SECRET", "do-not-show-5f3a", 1), 0);
  const std::vector<std::string> payloads = {
      "{{ ''.__class__.__mro__[1].__subclasses__() }}",
      "{{ [].__class__.__base__.__subclasses__() }}",
      "{{ {}.__class__.__bases__[0] }}",
      "{{ ().__class__.__mro__ }}",
      "{{ (1).__class__ }}",
      "{{ ''['__class__']['__mro__'] }}",
      "{{ ''|attr('__class__')|attr('__mro__') }}",
      "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
      "{{ ''[('_'*2)~'class'~('_'*2)] }}",
      "{{ messages|attr('__init__')|attr('__globals__') }}",
      "{{ messages.__init__.__globals__['os'].environ }}",
      "{{ self.__init__.__globals__.__builtins__ }}",
      "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}",
      "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
      "{{ joiner.__init__.__globals__.os.environ }}",
      "{{ namespace.__init__.__globals__.os.environ }}",
      "{{ lipsum.__globals__['os'].popen('id').read() }}",
      "{{ lipsum.__globals__ }}",
      "{{ url_for.__globals__ }}",
      "{{ get_flashed_messages.__globals__ }}",
      "{{ config }}",
      "{{ config.items() }}",
      "{{ request.application.__globals__ }}",
      "{{ request|attr('application') }}",
      "{{ range.__class__ }}",
      "{{ dict.__base__ }}",
      "{{ raise_exception.__globals__ }}",
      "{{ raise_exception.__closure__ }}",
      "{{ strftime_now.__self__ }}",
      "{{ strftime_now.__globals__['os'] }}",
      "{{ open('/etc/passwd').read() }}",
      "{{ import('os') }}",
      "{{ __import__('os').system('id') }}",
      "{{ eval('1+1') }}",
      "{{ exec('x=1') }}",
      "{{ env.RIDGELINE_TEST_SECRET }}",
      "{{ environ['RIDGELINE_TEST_SECRET'] }}",
      "{{ os.environ }}",
      "{{ sys.modules }}",
      "{{ '%s'|format(messages.__class__) }}",
      "{{ '{0.__class__}'.format(messages) }}",
      "{{ '{0.__init__.__globals__}'.format(cycler) }}",
      "{{ '{}'.format_map({'a': 1}) }}",
      "{{ messages|map(attribute='__class__')|list }}",
      "{{ [1]|map('attr', '__class__')|list }}",
      "{{ [messages]|groupby('__class__') }}",
      "{{ messages|selectattr('__class__.__mro__')|list }}",
      "{{ [{'a': 1}]|sort(attribute='__class__') }}",
      "{{ caller.__class__ }}",
      "{{ loop.__class__ }}",
      "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
      "{% macro m() %}{{ caller }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m.__globals__ }}",
      "{% set x = namespace() %}{% set x.__class__ = 1 %}{{ x.__class__.__name__ }}",
      "{% include '/etc/passwd' %}",
      "{% include 'file:///etc/passwd' %}",
      "{% include ['/etc/passwd', 'chat'] ignore missing %}",
      "{% import '/etc/passwd' as p %}{{ p }}",
      "{% from 'os' import environ %}{{ environ }}",
      "{% extends '/etc/passwd' %}",
      "{% block x %}{{ self.x.__globals__ }}{% endblock %}",
      "{{ ''.__reversed.__class__ }}",
      "{{ ${7*7} }}",
      "<%= 7*7 %>${7*7}#{7*7}",
  };
  EXPECT_GE(payloads.size(), 50u);
  const Messages messages = {{"user", "hello"}};
  for (const std::string& payload : payloads) {
    std::string said;
    try {
      said = ChatTemplate(payload).render(messages, false);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::bad_data) << payload;
      said = e.what();
    }
    for (const char* secret : {"do-not-show", "root:", "uid=", "<class", "<function", "0x7f", "PATH=", "PATH'"})
      EXPECT_EQ(said.find(secret), std::string::npos) << payload << " -> " << said;
  }
  EXPECT_STREQ(std::getenv("RIDGELINE_TEST_SECRET"), "do-not-show-5f3a");
  EXPECT_EQ(render("{{ messages[0].content }}", messages), "hello");
}

// Messages from the template are cut to 200 bytes and hold no control characters, wherever they end up.
TEST(ChatTemplate, QuotesItsTemplateBriefly) {
  auto [id, message] = refusal("{{ raise_exception('no\n\x1b[2J' ~ 'é' * 500) }}");
  EXPECT_EQ(id, "template_raised");
  EXPECT_LT(message.size(), 300u);
  EXPECT_TRUE(is_utf8(message));
  EXPECT_NE(message.find("no  [2Jéé"), std::string::npos) << message;
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_EQ(refusal("{{ raise_exception('') }}").first, "template_raised");
}

TEST(ChatTemplate, EndsHostileLoopsWithinItsLimits) {
  for (const std::string source :
       {"{% for i in range(30000) %}{% for j in range(30000) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(x='a') %}{% for i in range(64) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{% for i in range(90000) %}{{ messages|tojson }}{% endfor %}",
        "{% for i in range(90000) %}{% set x = range(9000)|list|sort|reverse|join %}{% endfor %}"}) {
    const ChatTemplate chat(source);
    const std::clock_t start = std::clock();
    EXPECT_THROW(chat.render(Messages(100, {"user", "hello"}), false), Error) << source;
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    EXPECT_LT(seconds, 2) << source;  // a quarter of one; sanitizers take longer
  }
}

TEST(ChatTemplate, RewritesOnlyCode) {
  EXPECT_EQ(render("{{ [][::-1] }}|{{ [1, 2][::-1][0] }}|{{ 'é1'[:: -1] }}|[::-1]|{# [::-1] #}{{ '[::-1]' }}"),
            "[]|2|1é|[::-1]|[::-1]");
  EXPECT_EQ(render("{% raw %}{{ x[::-1] }}{% generation %}{% endraw %}"), "{{ x[::-1] }}{% generation %}");
  EXPECT_EQ(render("{%- generation -%} a {%- endgeneration -%}"), "a");
  EXPECT_EQ(render("{{ '{% generation %}' }}"), "{% generation %}");
  EXPECT_EQ(refusal("{{ 1[::-1] }}").first, "template_error");
  EXPECT_EQ(refusal("{{ 'a\\").first, "bad_template");
  EXPECT_EQ(refusal("{% raw %}{% x").first, "bad_template");
}

TEST(ChatTemplate, AnswersBadArithmeticWithAnError) {
  for (const char* source :
       {"{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ [1][::0] }}", "{{ -9223372036854775808 // -1 * 2 ** 120 * 2 ** 120 }}",
        "{{ 1 % 0 }}", "{{ 2 ** 200 }}", "{{ 'abc'[::0] }}", "{{ loop.index }}", "{{ 'a' + 1 }}",
        "{% for i in range(10**9) %}{% endfor %}", "{{ 'a' * 10**9 }}", "{{ x.y }}", "{{ f() }}", "{{ 1|nope }}"})
    EXPECT_EQ(refusal(source).first, "template_error") << source;
}

TEST(ChatTemplate, TakesTheTextOfMessagesLiterally) {
  const std::string text = "{{ 7 * 7 }}{% raw %}{# #} <b> & \" '";
  EXPECT_EQ(render("{{ messages[0].content }}|{{ messages[0]['role'] }}", {{"user", text}}), text + "|user");
  EXPECT_EQ(render("{{ messages[0].content }}", {{"user", "a\xFFz"}}), "a\xEF\xBF\xBDz");
  EXPECT_EQ(render("{{ messages[0].content|length }}", {{"user", std::string("\0", 1)}}), "1");
  EXPECT_EQ(render("{{ messages[0].content|length }}", {{"user", std::string(1 << 20, 'x')}}), "1048576");
  EXPECT_EQ(render("{{ messages|length }}", Messages(10'000, {"user", "x"})), "10000");
}

TEST(ChatTemplate, KnowsTokensOnlyWhereTheVocabularyHasThem) {
  const char* source = "[{{ bos_token }}|{{ bos_token is defined }}|{{ eos_token }}]";
  EXPECT_EQ(ChatTemplate(source).render({}, false), "[|False|]");
  EXPECT_EQ(ChatTemplate(source, "<s>", "").render({}, false), "[<s>|True|]");
}

TEST(ChatTemplate, TellsTheTime) {
  const std::string year = render("{{ strftime_now('%Y') }}");
  EXPECT_EQ(year.size(), 4u);
  EXPECT_GE(year, "2024");
  EXPECT_EQ(render("{{ strftime_now('" + repeat("%Y", 1000) + "') }}"),
            "");  // too long for the buffer: nothing, not a part
}

TEST(ChatTemplate, RendersForManyThreadsAtOnce) {
  const ChatTemplate chat("{% for m in messages %}{{ m.content }}{% endfor %}");
  std::vector<std::string> results(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < results.size(); i++)
    threads.emplace_back([&, i] { results[i] = chat.render(Messages{{"user", std::to_string(i)}}, false); });
  for (auto& t : threads) t.join();
  for (size_t i = 0; i < results.size(); i++) EXPECT_EQ(results[i], std::to_string(i));
}

}  // namespace
}  // namespace ridgeline
