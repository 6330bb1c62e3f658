#include "instance/generate.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "sampling/stop_strings.h"

namespace ridgeline {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

std::string_view name_of(Finish f) {
  static constexpr std::string_view names[] = {"end of text", "stop string", "token limit", "context full",
                                               "interrupted"};
  return names[static_cast<int>(f)];
}

Logits Conversation::extend(std::span<const int32_t> tokens, int64_t chunk, const std::function<bool()>& on_chunk) {
  auto had = static_cast<int64_t>(tokens_.size()), all = had + static_cast<int64_t>(tokens.size());
  require(!tokens.empty(), "nothing to compute");
  if (all > instance_->context())
    fail(ExitCode::unavailable, "context_full",
         "{} tokens do not fit the context of {}: shorten the prompt, or give -c {} or more", all, instance_->context(),
         all);
  for (int32_t block : table_.grow(all))
    if (auto* kv = instance_->kv()) kv->clear(block);
  if (!instance_->program().is_cached()) chunk = all, had = 0;  // everything is computed again
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  Logits logits{};
  for (int64_t at = had; at < all; at += chunk) {
    int64_t n = std::min(chunk, all - at);
    StepSequence s{{tokens_.data() + at, static_cast<size_t>(n)}, at, table_.blocks(), at + n == all};
    logits = instance_->executor().step({&s, 1});
    if (at + n < all && on_chunk && !on_chunk()) {
      cut(at + n);
      return {};
    }
  }
  return logits;
}

void Conversation::cut(int64_t tokens) {
  tokens_.resize(static_cast<size_t>(tokens));
  table_.shrink(tokens);
}

Generated generate(Instance& model, Conversation& conversation, std::span<const int32_t> prompt,
                   const GenerateOptions& o, const std::function<void(std::string_view)>& on_text,
                   const std::function<bool()>& interrupted) {
  const Tokenizer& tokenizer = model.tokenizer();
  Generated g{.prompt_tokens = static_cast<int64_t>(prompt.size())};
  const std::vector<int32_t>& ends = model.generation_defaults().eos;
  StopStrings stops(o.stops);
  StreamDecoder decoder(tokenizer, ControlTokens::show, DecodeFrom::middle);
  auto show = [&](std::string_view text) {
    if (text.empty()) return;
    g.text += text;
    on_text(text);
  };
  // A vocabulary may be padded: rows beyond it are no tokens.
  int64_t choices = std::min<int64_t>(tokenizer.size(), vocabulary_of(model.config()));
  o.sampler.check_tokens(choices);
  auto wants_stop = [&] { return interrupted && interrupted(); };

  auto had = static_cast<int64_t>(conversation.tokens().size());
  double start = now();
  Logits logits = conversation.extend(prompt, prompt_step_tokens, [&] { return !wants_stop(); });
  double first = now();
  g.prompt_seconds = first - start;
  if (!logits.data) return g.finish = Finish::interrupted, g;
  if (o.on_step) o.on_step({g.prompt_tokens, had, g.prompt_seconds});

  for (;;) {
    if (o.limit >= 0 && static_cast<int64_t>(g.tokens.size()) >= o.limit) {
      g.finish = Finish::token_limit;
      break;
    }
    auto row = logits.row(0).first(static_cast<size_t>(choices));
    const auto& before = conversation.tokens();
    int32_t next = sample(row, o.sampler, static_cast<int64_t>(before.size()), before);
    if (!o.ignore_eos && (tokenizer.is_end_of_generation(next) || std::ranges::find(ends, next) != ends.end())) break;
    g.tokens.push_back(next);
    if (o.probabilities >= 0) g.probabilities.push_back(probabilities(row, next, o.probabilities));
    show(stops.push(decoder.push(next)));
    if (stops.stopped()) {
      g.finish = Finish::stop_string;
      break;
    }
    if (wants_stop()) {
      g.finish = Finish::interrupted;
      break;
    }
    if (static_cast<int64_t>(conversation.tokens().size()) == model.context()) {
      g.finish = Finish::context_full;
      break;
    }
    had = static_cast<int64_t>(conversation.tokens().size());
    double begin = now();
    logits = conversation.extend({&next, 1});
    ++g.answer_steps;
    if (o.on_step) o.on_step({1, had, now() - begin});
  }
  g.answer_seconds = now() - first;
  show(stops.push(decoder.flush()));
  show(stops.rest());
  return g;
}

}  // namespace ridgeline
