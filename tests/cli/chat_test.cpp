// A chat at a terminal: what is typed, what comes back, and what is kept.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "process.h"
#include "templated_model.h"
#include "terminal_process.h"

namespace ridgeline {
namespace {

class ChatCommand : public testing::Test {
 protected:
  ChatCommand() : model_(folder_.write("templated.gguf", templated_model())) {}
  std::vector<std::string> line(const std::string& model, std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"run", model, "-q", "-n", "12", "--ignore-eos", "--temp", "1.5", "--top-k", "0"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  static void expect_in(const std::string& text, std::initializer_list<const char*> parts) {
    for (const char* part : parts) EXPECT_NE(text.find(part), text.npos) << part << "\nis not in\n" << text;
  }
  ScratchFolder folder_;
  std::string model_;  // with a chat template
};

TEST_F(ChatCommand, TheFirstAnswerIsThatOfRun) {
  auto once = run_ridgeline(line(model_, {"--seed", "7", "Hello there"}));
  ASSERT_EQ(once.status, 0) << once.err;
  TerminalProcess chat(line(model_, {"--seed", "7"}));
  chat.until(">>> ");
  EXPECT_EQ(chat.say("Hello there"), without_returns(once.out));
  chat.type_at_prompt("/bye\n");
  EXPECT_EQ(chat.status(), 0);
}

TEST_F(ChatCommand, ALoadedConversationGoesOnAsIfItHadNeverEnded) {
  for (const std::string& model : {model_, golden_path("tiny_llama")}) {
    std::string file = folder_ / ("chat-" + std::to_string(model.size()) + ".json");
    TerminalProcess first(line(model, {"--seed", "7"}));
    first.until(">>> ");
    if (model == model_) first.say("/set system Be brief.");
    for (const char* text : {"/set repeat-penalty 1.3", "/set logit-bias 40-inf,41+2", "/set stop qqq"})
      first.say(text);
    first.say("Hello there");
    first.say("How are you?");
    expect_in(first.say("/save " + file), {"4 turns saved"});
    std::string expected = first.say("And then?");

    TerminalProcess second(line(model, {"--seed", "99", "--top-p", "0.3"}));
    second.until(">>> ");
    expect_in(second.say("/load " + file), {"4 turns loaded"});
    EXPECT_EQ(second.say("And then?"), expected) << model;

    struct stat info;
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    std::ifstream in(file);
    auto j = nlohmann::json::parse(in);
    EXPECT_EQ(j["ridgeline_chat"], 1);
    EXPECT_EQ(j["settings"]["seed"], 7);
    EXPECT_EQ(j["settings"]["temp"], 1.5);
    EXPECT_EQ(j["settings"]["logit_bias"], (nlohmann::json{"40-inf", "41+2"}));
    EXPECT_EQ(j["turns"].size(), 4u);
    EXPECT_EQ(j["turns"][0]["content"], "Hello there");
    EXPECT_EQ(j["turns"][3].contains("tokens"), model != model_) << "only where text does not tell them";
  }
}

TEST_F(ChatCommand, RegenerateAnswersWithTheNextSeed) {
  TerminalProcess chat(line(model_, {"--seed", "7"}));
  chat.until(">>> ");
  expect_in(chat.say("/regenerate"), {"no answer yet"});
  std::string first = chat.say("Hello"), second = chat.say("/retry");
  EXPECT_NE(first, second);
  expect_in(chat.say("/show"), {"seed                8", "turns               2"});
  chat.say("/clear");
  EXPECT_EQ(chat.say("Hello"), second);
  chat.say("/set seed 7"), chat.say("/clear");
  EXPECT_EQ(chat.say("Hello"), first);
}

TEST_F(ChatCommand, SettingsAreHeldToTheRulesOfTheCommandLine) {
  TerminalProcess chat(line(model_));
  chat.until(">>> ");
  EXPECT_EQ(chat.say("/set temp 0.25"), "temp 0.25\n");
  EXPECT_EQ(chat.say("/set parameter top_k 5"), "top_k 5\n");
  EXPECT_EQ(chat.say("/set ignore-eos false"), "ignore-eos false\n");
  EXPECT_EQ(chat.say("/set logprobs 2"), "logprobs 2\n");
  struct Case {
    const char *typed, *words;
  };
  for (const auto& [typed, words] : std::vector<Case>{{"/set temp", "needs a value"},
                                                      {"/set temp nan", "not a decimal number"},
                                                      {"/set temp inf", "not a decimal number"},
                                                      {"/set temp -1", "--temp -1 is out of range"},
                                                      {"/set temp 0.5 0.6", "not a decimal number"},
                                                      {"/set temp 1,5", "not a decimal number"},
                                                      {"/set tempp 1", "did you mean temp?"},
                                                      {"/set model 1", "There are: predict, temp"},
                                                      {"/set top-k 0x10", "not a whole decimal number"},
                                                      {"/set predict -2", "not in range"},
                                                      {"/set logprobs 21", "not in range"},
                                                      {"/set repeat-penalty 0", "above 0, at most 100"},
                                                      {"/set frequency-penalty 3", "-2 to 2"},
                                                      {"/set repeat-last-n -2", "not in range"},
                                                      {"/set logit-bias Hello", "15043+1"},
                                                      {"/set logit-bias 999999+1", "there is no token 999999"},
                                                      {"/set seed -7", "not in range"},
                                                      {"/unset tempp", "did you mean temp?"},
                                                      {"/sett temp 1", "did you mean /set?"},
                                                      {"/nonsense", "/help lists them"},
                                                      {"/show tempalte", "did you mean template?"},
                                                      {"/save", "needs the name of a file"},
                                                      {"/load /nowhere/chat.json", "/nowhere/chat.json"}})
    expect_in(chat.say(typed), {words});
  expect_in(chat.say("/show settings"), {"temp                0.25", "top-k               5", "logprobs            2"});
  EXPECT_EQ(chat.say("/unset temp"), "temp 1.5\n") << "as the command line had it";
  EXPECT_EQ(chat.say("/unset logprobs"), "logprobs off\n");
}

TEST_F(ChatCommand, ShowsWhatThereIs) {
  TerminalProcess chat(line(folder_.write("escape.gguf", templated_model("\x1b]0;x\a" + std::string(simple_template))),
                            {"--system", "Be brief."}));
  chat.until(">>> ");
  expect_in(chat.say("/show"), {"0 of 256 tokens used", "Be brief.", "repeat-last-n       64"});
  EXPECT_EQ(chat.say("/show system"), "Be brief.\n");
  std::string shown = chat.say("/show template");
  expect_in(shown, {"\\x1b]0;x\\x07{% for m in messages %}"});
  EXPECT_EQ(shown.find('\x1b'), shown.npos) << "a model's file sends the terminal nothing";
  chat.say("Hello");
  expect_in(chat.say("/show turns"), {"user: Hello\nassistant: "});
  chat.say("/unset system");
  EXPECT_EQ(chat.say("/show system"), "There is no system prompt.\n");
  expect_in(chat.say("/help"), {"/regenerate, /retry", "/save FILE", "\"\"\" ... \"\"\""});
}

TEST_F(ChatCommand, AMessageMayHaveManyLines) {
  auto once = run_ridgeline(line(model_, {"--seed", "7", "-f", folder_.write("prompt", "/one\n\n two")}));
  ASSERT_EQ(once.status, 0) << once.err;
  TerminalProcess chat(line(model_, {"--seed", "7"}));
  chat.until(">>> ");
  chat.say("\"\"\"/one", "... "), chat.say("", "... ");
  EXPECT_EQ(chat.say(" two\"\"\""), without_returns(once.out));
  chat.say("/clear");
  chat.say("\"\"\"", "... "), chat.say("/one", "... "), chat.say("", "... "), chat.say(" two", "... ");
  EXPECT_EQ(chat.say("\"\"\""), without_returns(once.out));
  chat.say("/set system \"\"\"One.", "... ");
  chat.say("Two.\"\"\"");
  EXPECT_EQ(chat.say("/show system"), "One.\nTwo.\n");
  chat.say("\"\"\"never", "... ");
  chat.type_at_prompt("\x03");  // Ctrl-C
  expect_in(chat.until(">>> "), {"/bye leaves"});
  chat.type_at_prompt("\x04");  // Ctrl-D
  EXPECT_EQ(chat.status(), 0);
}

TEST_F(ChatCommand, TheSystemPromptCounts) {
  std::string file = folder_.write("system", "Be brief.\n");
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--seed", "7", "Hello"});
    return run_ridgeline(line(model_, more));
  };
  auto plain = with({}), text = with({"--system", "Be brief."}), from_file = with({"--system-file", file});
  EXPECT_NE(text.out, plain.out);
  EXPECT_EQ(text.out, from_file.out);
  EXPECT_EQ(with({"--system", "x", "--system-file", file}).status, 2);
  EXPECT_EQ(with({"--system-file", "/nowhere"}).status, 66);
  auto raw = run_ridgeline(line(golden_path("tiny_llama"), {"--system", "x", "Hello"}));
  EXPECT_EQ(raw.status, 2);
  expect_in(raw.err, {"no chat template"});
  TerminalProcess chat(line(model_, {"--seed", "7"}));
  chat.until(">>> ");
  chat.say("/set system Be brief.");
  EXPECT_EQ(chat.say("Hello"), without_returns(text.out));
}

TEST_F(ChatCommand, BadFilesEndInAMessageAndChangeNothing) {
  std::string good = folder_ / "good.json", precious = folder_.write("precious", "do not overwrite");
  TerminalProcess chat(line(model_, {"--seed", "7"}));
  chat.until(">>> ");
  chat.say("Hello");
  chat.say("/save " + good);
  expect_in(chat.say("/save " + precious), {"no saved conversation"});
  expect_in(chat.say("/save " + folder_.path()), {"no saved conversation"});
  expect_in(chat.say("/save /nowhere/chat.json"), {"cannot write /nowhere/chat.json", "No such file"});
  expect_in(chat.say("/save " + good), {"2 turns saved"});
  std::ifstream in(good);
  auto j = nlohmann::json::parse(in);
  auto hostile = [&](const char* key, const nlohmann::json& value) {
    auto changed = j;
    changed["settings"][key] = value;
    std::string reply = chat.say("/load " + folder_.write("bad.json", changed.dump()));
    std::string option = key;
    std::ranges::replace(option, '_', '-');
    expect_in(reply, {"bad.json", option.c_str()});
  };
  hostile("temp", -1), hostile("temp", "warm"), hostile("temp", {1}), hostile("top_k", 1.5), hostile("stop", "x");
  hostile("logit_bias", {"999999+1"}), hostile("seed", 1e300), hostile("repeat_last_n", nullptr);
  for (const std::string& path : {folder_.write("text", "hello"), folder_.write("empty", ""), precious, folder_.path(),
                                  std::string("/dev/zero"), model_, folder_ / "missing"})
    expect_in(chat.say("/load " + path), {path.c_str()});
  expect_in(chat.say("/show"), {"temp                1.5", "turns               2"});
  EXPECT_EQ(content_of(precious), "do not overwrite");
  size_t files = 0;
  for (const auto& f : std::filesystem::directory_iterator(folder_.path()))
    files += f.path().filename().string().starts_with("good.json");
  EXPECT_EQ(files, 1u) << "nothing temporary is left";
}

}  // namespace
}  // namespace ridgeline
