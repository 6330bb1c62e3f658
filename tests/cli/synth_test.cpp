#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/scratch_folder.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "formats/gguf.h"

namespace ridgeline {
namespace {

TEST(Synth, WritesAModelOfTheCatalogue) {
  ScratchFolder folder;
  std::string path = folder / "m.gguf";
  auto r = run_command(add_synth, fmt::format("synth smollm2-135m --type q4_0 --layers 1 --vocab 300 -o {}", path));
  ASSERT_EQ(r.code, 0) << r.error;
  EXPECT_NE(r.out.find("smollm2-135m with random weights in q4_0"), std::string::npos) << r.out;
  ModelDescription model = read_model_config(GgufFile::open(path));
  auto wanted = *from_catalogue("smollm2-135m").config.as<LlamaConfig>();
  wanted.layers = 1, wanted.vocab = 300;
  EXPECT_EQ(model.name, "smollm2-135m synthetic");
  EXPECT_EQ(build("", DType::q4_0, model.config).text(), build("", DType::q4_0, wanted).text());
}

TEST(Synth, SaysAsJsonWhatWasWritten) {
  ScratchFolder folder;
  std::string path = folder / "m.gguf";
  auto r =
      run_command(add_synth, fmt::format("synth gpt2 --type Q8_0 --layers 1 --vocab 300 --seed 5 --json -o {}", path));
  ASSERT_EQ(r.code, 0) << r.error;
  auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j["file"], path);
  EXPECT_EQ(j["bytes"], std::filesystem::file_size(path));
  EXPECT_EQ(j["model"], "gpt2");
  EXPECT_EQ(j["type"], "q8_0");
  EXPECT_EQ(j["layers"], 1);
  EXPECT_EQ(j["vocabulary"], 300);
  EXPECT_EQ(j["seed"], 5);
}

TEST(Synth, RefusesAWrongCommandLine) {
  ScratchFolder folder;
  std::string output = fmt::format("-o {}", folder / "m.gguf");
  for (std::string arguments :
       {"synth", "synth gpt2", "synth smolm2 -o x", "synth gpt2 --type iq4_xs", "synth gpt2 --layers 0",
        "synth gpt2 --layers 2000", "synth gpt2 --vocab 100", "synth gpt2 --seed -1", "synth gpt2 x"}) {
    if (arguments != "synth gpt2") arguments += " " + output;
    EXPECT_EQ(run_command(add_synth, arguments).code, 2) << arguments;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "m.gguf"));
}

}  // namespace
}  // namespace ridgeline
