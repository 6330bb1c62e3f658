#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "passes/fusion.h"
#include "passes/passes.h"
#include "program/rewriter.h"

namespace ridgeline {
namespace {

template <class T>
Fusion fusion() {
  return {T::name, T::match};
}

const Fusion fusions[] = {
    // in this order: gate and up before shared inputs
    fusion<RmsNormQuantize>(),
    fusion<LayerNormQuantize>(),
    fusion<LinearGated<Silu>>(),
    fusion<LinearGated<Gelu>>(),
    fusion<LinearActivation<Silu>>(),
    fusion<LinearActivation<Gelu>>(),
    fusion<LinearAdd>(),
    fusion<RopeAppend>(),
    fusion<Linears>(),
};

// Checks guesses: the fused op's own expansion is written behind the program's values and read as a pattern, so a wrong match()
// can lose a fusion, never change a program.
class Unifier {
 public:
  Unifier(const Program& p, const Uses& uses) : p_(p), uses_(uses), pattern_(p) { pattern_.nodes.clear(); }

  // The nodes that `found` replaces. Empty where the program computes something else, or an inner value is wanted elsewhere.
  std::unordered_set<const Node*> replaced(const Found& found) {
    auto nodes = matched(found);
    pattern_.nodes.clear();
    pattern_.values.resize(p_.values.size());
    for (const Node* n : nodes)
      for (Value v : n->results) {
        bool kept = std::find(found.results.begin(), found.results.end(), v) != found.results.end();
        auto inside = [&](const Node* user) { return nodes.contains(user); };
        if (!kept && std::count_if(uses_.users(v).begin(), uses_.users(v).end(), inside) != uses_.count(v)) return {};
      }
    return nodes;
  }

 private:
  std::unordered_set<const Node*> matched(const Found& found) try {
    auto results = found.op.expand({&pattern_, [](Value v) { return v; }});
    if (results.size() != found.results.size()) return {};
    std::unordered_map<int, Value> is;  // value of the pattern -> value of the program
    for (size_t i = 0; i < results.size(); ++i) is[results[i].value.id] = found.results[i];
    return unified(is);
  } catch (const Error&) {
    return {};  // the guess put together operands that do not even fit
  }

  std::unordered_set<const Node*> unified(std::unordered_map<int, Value>& is) const {
    std::unordered_set<const Node*> nodes;
    for (auto n = pattern_.nodes.rbegin(); n != pattern_.nodes.rend(); ++n) {
      const Node* real = is.contains(n->results[0].id) ? uses_.producer(is[n->results[0].id]) : nullptr;
      if (!real || !real->op.same_attributes(n->op)) return {};
      Values want = n->op.operands(), have = real->op.operands();
      if (want.size() != have.size()) return {};
      for (size_t i = 0; i < want.size(); ++i) {
        bool inner = static_cast<size_t>(want[i].id) >= p_.values.size();
        if (!inner && want[i] != have[i]) return {};
        if (inner && is.try_emplace(want[i].id, have[i]).first->second != have[i]) return {};
      }
      nodes.insert(real);
    }
    return nodes;
  }

  const Program& p_;
  const Uses& uses_;
  Program pattern_;
};

}  // namespace

Program fuse_one(const Program& p, const Fusion& fusion) {
  Uses uses(p);
  Unifier unifier(p, uses);
  std::unordered_map<const Node*, Found> at;
  std::unordered_set<const Node*> gone;
  for (const auto& n : p.nodes) {
    if (gone.contains(&n)) continue;
    auto found = fusion.match(p, uses, n);
    if (!found) continue;
    auto nodes = unifier.replaced(*found);
    if (nodes.empty() || std::any_of(nodes.begin(), nodes.end(), [&](auto* m) { return gone.contains(m); })) continue;
    at.emplace(&n, *found);
    gone.insert(nodes.begin(), nodes.end());
  }
  return rewrite(p, [&](Rewriter& r, const Node& n) {
    if (auto f = at.find(&n); f != at.end())
      r.replace(f->second.results, r.to.add(r.map(f->second.op)));
    else if (!gone.contains(&n))
      r.keep(n);
  });
}

Program fuse(const Program& p, const std::set<std::string>& disabled) {
  Program out = p;
  for (const auto& f : fusions)
    if (!disabled.contains(std::string(f.name))) out = fuse_one(out, f);
  return out;
}

std::vector<std::string> fusion_names() {
  std::vector<std::string> names;
  for (const auto& f : fusions) names.emplace_back(f.name);
  return names;
}

Program expand(const Program& p) {
  return rewrite(p, [](Rewriter& r, const Node& n) {
    auto results = n.op.expand(r.scope());
    if (results.empty()) return r.keep(n);
    r.replace(n.results, Values(results.begin(), results.end()));
  });
}

}  // namespace ridgeline
