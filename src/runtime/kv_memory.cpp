#include "runtime/kv_memory.h"

#include <cstring>
#include <map>
#include <numeric>

#include "base/error.h"

namespace ridgeline {
namespace {

// Each layer's pair of states, in order: "layers.3.k_cache" and "layers.3.v_cache" share pages.
struct Pair {
  Value keys, values;
};
std::vector<Pair> pairs_of(const Program& p) {
  std::map<std::string, Pair> by_layer;
  std::vector<std::string> order;
  for (size_t i = 0; i < p.values.size(); ++i) {
    const auto& v = p.values[i];
    if (v.origin != Program::Origin::state) continue;
    size_t dot = v.name.rfind('.');
    std::string layer = v.name.substr(0, dot);
    if (!by_layer.contains(layer)) order.push_back(layer);
    (v.name.substr(dot + 1) == "k_cache" ? by_layer[layer].keys : by_layer[layer].values) = {static_cast<int>(i)};
  }
  std::vector<Pair> pairs;
  for (const auto& layer : order) {
    const Pair& pair = by_layer[layer];
    require(bool(pair.keys) && bool(pair.values) && p.type(pair.keys) == p.type(pair.values),
            "states of {} are not a pair of keys and values", layer);
    pairs.push_back(pair);
  }
  return pairs;
}

int64_t bytes_in_layer(const Program& p, const Pair& pair, int head_dim) {
  const Type& t = p.type(pair.keys);
  return t.cols() / head_dim * page_bytes(t.dtype, head_dim);
}

}  // namespace

std::vector<int64_t> KvMemory::layer_block_bytes(const Program& p, int head_dim) {
  std::vector<int64_t> bytes;
  for (const auto& pair : pairs_of(p)) bytes.push_back(bytes_in_layer(p, pair, head_dim));
  return bytes;
}

int64_t KvMemory::block_bytes(const Program& p, int head_dim) {
  auto bytes = layer_block_bytes(p, head_dim);
  return std::accumulate(bytes.begin(), bytes.end(), int64_t{0});
}

KvMemory::KvMemory(const Program& p, int head_dim, int64_t blocks)
    : memory_(static_cast<size_t>(block_bytes(p, head_dim) * blocks)), tensors_(p.values.size()) {
  std::byte* at = memory_.data();
  for (const auto& pair : pairs_of(p)) {
    int64_t bytes = bytes_in_layer(p, pair, head_dim);
    const Type& t = p.type(pair.keys);
    for (auto [value, layout] : {std::pair{pair.keys, Layout::keys}, std::pair{pair.values, Layout::values}})
      tensors_[static_cast<size_t>(value.id)] = {t.dtype, layout, blocks * page_tokens, t.cols(), at, head_dim};
    layers_.push_back({at, bytes});
    at += bytes * blocks;
  }
}

void KvMemory::clear(int32_t block) {
  for (const auto& l : layers_) std::memset(l.data + block * l.block_bytes, 0, static_cast<size_t>(l.block_bytes));
}

}  // namespace ridgeline
