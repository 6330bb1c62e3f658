#include "models/fields.h"

#include <cmath>

namespace ridgeline {

void Fields::expect(FieldName n, std::string_view expected) {
  if (!reads()) return;
  std::string value(expected);
  if (visit(value, {n}) && value != expected) refuse("{} is {}; expected {}.", name(n), value, expected);
}

void Fields::expect_off(FieldName n) {
  if (!reads()) return;
  bool on = false;
  if (visit(on, {n}) && on) refuse("{} is on; models that need it are not supported.", name(n));
}

void Fields::expect_none(FieldName n) {
  float value = 0;
  if (reads() && visit(value, {n}, -INFINITY, INFINITY))
    refuse("{} is {}; models that need it are not supported.", name(n), value);
}

void Fields::layers(int& n, std::string_view hf) {
  whole(n, {"block_count", hf}, 1, limits::layers);
  check_layers(n);
}
void Fields::dimension(int& n, std::string_view hf) { whole(n, {"embedding_length", hf}, 1, limits::dimension); }
void Fields::feed_forward(int& n, std::string_view hf) {
  each_whole(n, {"feed_forward_length", hf}, 1, limits::dimension);
}
void Fields::context(int64_t& n, std::string_view hf) { whole(n, {"context_length", hf}, 1, limits::context); }
void Fields::epsilon(float& eps, FieldName n) { real(eps, n, 1e-20, 1); }

void Fields::window(int& keys) {
  if (reads() || keys) find_whole(keys, {"attention.sliding_window", "sliding_window"}, 0, limits::context);
}

void Fields::soft_cap(float& cap, FieldName n) {
  if (is_null(n))
    cap = 0;
  else
    find_real(cap, n, 0, 1e6);
}

void Fields::window_pattern(int& pattern, int layers) {
  find_whole(pattern, {"attention.sliding_window_pattern", "sliding_window_pattern"}, 1, limits::layers);
  const FieldName types = {"", "layer_types"};
  std::vector<std::string> kinds;
  if (!reads() || !visit(kinds, {types})) return;
  if (std::ssize(kinds) != layers)
    contradiction("{} has {} elements; expected {}, one for each layer.", name(types), kinds.size(), layers);
  auto sees_all = [&](int i) { return kinds[static_cast<size_t>(i)] == "full_attention"; };
  pattern = 1;
  while (pattern <= layers && !sees_all(pattern - 1)) ++pattern;
  for (int i = 0; i < layers; ++i)
    if (sees_all(i) != ((i + 1) % pattern == 0) ||
        (!sees_all(i) && kinds[static_cast<size_t>(i)] != "sliding_attention"))
      refuse("{} says {} of layer {}; expected sliding_attention, and full_attention in every {}th layer.", name(types),
             kinds[static_cast<size_t>(i)], i, pattern);
}

void Fields::rotary(float& base, std::vector<float>& factors, int head_dim, LayerKind kind) {
  int turned = head_dim;
  partial_rotary(base, factors, turned, head_dim, kind);
  if (turned != head_dim)
    refuse("{} makes positions turn only {} of the {} elements of a head; models of this family turn them all.",
           name({"rope.dimension_count", "partial_rotary_factor"}), turned, head_dim);
}

void Fields::refuse_experts() {
  if (!reads()) return;
  int64_t experts = 0;
  find_whole(experts, {"expert_count", "num_local_experts"}, 0, INT32_MAX);
  if (experts > 0) refuse("the model has {} experts a layer; mixtures of experts are not supported.", experts);
  ignore({"expert_used_count", "num_experts_per_tok"});
}

void Fields::heads(int& heads, int& kv_heads, int& head_dim, int dim, std::string_view hf) {
  const FieldName count = {"attention.head_count", hf}, kv = {"attention.head_count_kv", "num_key_value_heads"},
                  key = {"attention.key_length", "head_dim"}, value = {"attention.value_length", ""};
  each_whole(heads, count, 1, limits::heads);
  if (reads()) kv_heads = heads;
  find_each_whole(kv_heads, kv, 1, limits::heads);
  if (heads % kv_heads) contradiction("{} {} is not a multiple of {} {}.", name(count), heads, name(kv), kv_heads);
  if (!find_whole(head_dim, key, 1, limits::head_dim) && !head_dim) {
    if (dim % heads)
      contradiction("{} {} is not a multiple of {} {}.", name({"embedding_length", "hidden_size"}), dim, name(count),
                    heads);
    head_dim = dim / heads;
  }
  int value_dim = head_dim;
  find_whole(value_dim, value, 1, limits::head_dim);
  if (value_dim != head_dim) refuse("{} {} differs from the length of a key, {}.", name(value), value_dim, head_dim);
  if (head_dim % 2 || head_dim < 2 || head_dim > limits::head_dim || int64_t{heads} * head_dim > limits::dimension)
    contradiction("{} heads of {} elements; expected an even number of elements from 2 to {}, {} in all heads.", heads,
                  head_dim, limits::head_dim, limits::dimension);
}

}  // namespace ridgeline
