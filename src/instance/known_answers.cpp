#include "instance/known_answers.h"

namespace ridgeline {
namespace {

// `ridgeline verify FILE --json` prints a row's three values. A row changes only together with docs/numerics.md.
constexpr KnownAnswer table[] = {
    {"SmolLM2-135M-Instruct.Q4_1.gguf", 98'362'432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
     "58b1b4a8a080aa1613f955e5cf7525dbc49f11dfea644a6a3f909f36516533cd"},
    {"gemma-3-270m.Q4_K_M.gguf", 253'113'024, "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
     "ab8508f996c0adb5a400ed9f020196fbcc75920c29681c40eeef586f59e6cf6b"},
    {"tiny_gemma2.gguf", 112'192, "44e1fe97af423ad298b4df55664fc815e16b7aaba4bf5c739cdeda552e6a2d36",
     "a39d16baf8b60f5c861c92bdfacab42873b0c89adaea0015daabc46423c4e54f"},
    {"tiny_gemma3.gguf", 200'672, "4c2ed7b0ea135ead10105e6dc1db4770b493b4aa6d08f95c930cc477945bcf02",
     "7587d74cb89738dfb27eadd0b65b6fc33bcec57c5b3f02550724f449379f6c03"},
    {"tiny_gpt2.gguf", 446'368, "fc35aad9fe02d004a502b90e79b9da7f99c9d6ec04c0ff600696bd83f2ca8936",
     "1c30ddaa1d3e941ad65eda0b81312a72c35c236a98acc69a531b045aabc0e02e"},
    {"tiny_gpt_neox.gguf", 150'304, "742e67caaf12951e8402df0ad830075ef20d79a9acb1f2b71cac9cace9bc4dd0",
     "d57391e73bfabd0a1ebe19754b83d21a8f6dbb46353a8340cfebf8493ec0c150"},
    {"tiny_llama.gguf", 302'336, "acf8ed73c844c6c790195dfef10f7043d409af16424d8e4a18466cefbdd4253d",
     "599bafb3ef79a9612cd35ce528cd3134a8b8f34bdde0ded8ff21203121cc759d"},
    {"tiny_llama3.gguf", 374'944, "05e32531168846f1e1e5794edd7f1c9b66595beaf294a2e653652c63937d44fc",
     "ad92a0d72805577cb919befef9a8bd0d43657d6152a96eadc83658486f0587b4"},
    {"tiny_llama_bf16.gguf", 153'600, "fe0e91538daa5df3c66baf6b224732bd7a11f6a253deacb8049ebb6cd6028513",
     "de5dcaf12cda81e3cd97ff9148049b47c75a79ee9d2af211e6c005833c44ad62"},
    {"tiny_llama_f16.gguf", 153'600, "74739972b10d5760aa0650cab007c6182db93818531012c3fb6b0ea1b44c3548",
     "02bee2b2d833d10a0e901ac6589776e16ffd9fe380b6bda8f927bcc0a21832d1"},
    {"tiny_llama_q4_0.gguf", 46'720, "ab2b3759db7d7d110f1b85d99de59c1c6ca7ffb39ab122f788a3f726267e79ac",
     "f5e9ab20751a0a877f3a70100314904bf764be3f1fd153b09528c04409bc1d00"},
    {"tiny_llama_q4_1.gguf", 51'392, "2ce31a10e3b216fec72b77d3e33a71316b94ed3807624e6a6743344f1849ccd9",
     "8ec8b945b43ea8bd28753b7cd387852ac36767f615ea89ef8f3048527caa08dc"},
    {"tiny_llama_q8_0.gguf", 83'904, "8ed560227335cb16c46a77184bde8868564edf70637653858ab69cbdc138c0c7",
     "010a5f5a997ac6df4cb7a6eb8e6bd96a2b5a24e86ccb531dbdddc530f9ef5aca"},
    {"tiny_mistral.gguf", 302'400, "cd71cc394be9accdb8324f164a2c6257dfde548cd5b8c7d3578e87b20c063799",
     "7d46d55062f178cba18b672192933d51f2ec67629ba70b189eec4e45e4ab8a9d"},
    {"tiny_qwen2.gguf", 154'848, "604a54d56b39a090a1594288c351bed07dbc567f750c1189b0b1040118d8ee97",
     "111c089eb0015b61eb26152b1d871e5468da37b921577a224584172f0aee1608"},
    {"tiny_qwen3.gguf", 190'528, "cdcbd26a81c2e7c7302183d13ed6935a986a138634cc2c2e883a91f47a5d5101",
     "db92a3ac4a96bc1f5b7c2eed013f90d0f69ccde1c9486d7106192ca92863c9c3"},
};

}  // namespace

std::span<const KnownAnswer> known_answers() { return table; }

}  // namespace ridgeline
