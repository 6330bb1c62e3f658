#include "cost/hardware.h"

#include <algorithm>
#include <cmath>

#include "base/edit_distance.h"
#include "base/error.h"
#include "base/json.h"

namespace ridgeline {
namespace {

constexpr std::string_view arithmetic_names[arithmetic_count] = {"fp32", "bf16", "fp8", "int8", "fp4", "int4"};
constexpr auto format_name = "ridgeline-hardware-1";

// Reads one object of a hardware file key by key; what is left unread at the end is an error.
class Fields {
 public:
  Fields(const Json& object, std::string file, std::string path) : file_(std::move(file)), path_(std::move(path)) {
    if (!object.is_object()) bad("should be an object");
    object_ = &object;
    for (const auto& [key, value] : object.items()) unread_.push_back(key);
  }

  [[noreturn]] void bad(std::string_view why) const {
    fail(ExitCode::bad_config, "hardware_file", "{}: {}{}{}", file_, path_, path_.empty() ? "" : " ", why);
  }
  const Json* find(const std::string& key) {
    auto at = object_->find(key);
    if (at == object_->end()) return nullptr;
    std::erase(unread_, key);
    return &*at;
  }
  const Json& get(const std::string& key) {
    const Json* value = find(key);
    if (!value) bad(fmt::format("lacks \"{}\"", key));
    return *value;
  }
  std::string text(const std::string& key) {
    const Json& value = get(key);
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) inside(key).bad("should be a text");
    return value.get<std::string>();
  }
  bool truth(const std::string& key, bool otherwise) {
    const Json* value = find(key);
    if (!value) return otherwise;
    if (!value->is_boolean()) inside(key).bad("should be true or false");
    return value->get<bool>();
  }
  double number(const std::string& key) {
    const Json& value = get(key);
    double x = value.is_number() ? value.get<double>() : NAN;
    if (!std::isfinite(x) || x < 0 || x > 1e21)
      inside(key).bad(fmt::format("should be a number from 0 to 1e21, not {}", value.dump()));
    return x;
  }
  Fields object(const std::string& key) { return Fields(get(key), file_, joined(key)); }
  void end() const {
    if (!unread_.empty()) bad(fmt::format("has \"{}\", which is not known", unread_.front()));
  }

  SourcedValue figure(const std::string& key, std::string_view unit) {
    Fields f = object(key);
    SourcedValue figure = f.read_figure(unit);
    f.end();
    return figure;
  }
  SourcedValue peak(const std::string& key) {
    Fields f = object(key);
    std::string sparsity = f.text("sparsity");
    if (sparsity != "dense")
      f.bad(fmt::format(
          "is a peak with sparsity \"{}\"; a roofline needs the dense one, which data sheets that count 2:4 "
          "sparsity print doubled",
          sparsity));
    SourcedValue figure = f.read_figure("FLOP/s");
    f.end();
    return figure;
  }

 private:
  std::string joined(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  Fields inside(const std::string& key) const {
    Fields f = *this;
    f.path_ = joined(key);
    return f;
  }
  SourcedValue read_figure(std::string_view unit) {
    std::string found = text("unit");
    if (found != unit) bad(fmt::format("is in {}; expected {}", found, unit));
    SourcedValue figure{.value = number("value"), .source = text("source"), .checked = truth("checked", true)};
    if (find("spread")) figure.spread = number("spread");
    bool may_be_zero = unit == "s";
    if (figure.value == 0 && !may_be_zero) bad("should be more than 0");
    if (unit == "1" && figure.value > 1.5) bad(fmt::format("is a fraction of {}; expected at most 1", figure.value));
    return figure;
  }

  std::string file_, path_;
  const Json* object_ = nullptr;
  std::vector<std::string> unread_;
};

Efficiency read_efficiency(Fields f) {
  Efficiency e;
  auto take = [&](const char* key, std::string_view unit, SourcedValue& into) {
    if (f.find(key)) into = f.figure(key, unit);
  };
  take("compute", "1", e.compute), take("memory", "1", e.memory), take("link", "1", e.link);
  for (int a = 0; a < arithmetic_count; ++a)
    if (std::string key = fmt::format("compute_{}", arithmetic_names[a]); f.find(key))
      e.compute_of[static_cast<Arithmetic>(a)] = f.figure(key, "1");
  if (f.find("overlap")) e.overlap = f.figure("overlap", "1");
  if (f.find("attention")) e.attention = f.figure("attention", "1");
  take("step", "s", e.step), take("layer", "s", e.layer), take("op", "s", e.op);
  take("link_latency", "s", e.link_latency), take("interference", "1", e.interference);
  f.end();
  return e;
}

Measurement read_measurement(Fields f) {
  Measurement m{.date = f.text("date"), .processor = f.text("processor")};
  m.threads = static_cast<int>(std::min(f.number("threads"), double{limits::threads}));
  m.contended = f.truth("contended", false);
  f.end();
  return m;
}

Hardware read_hardware(Fields f) {
  if (f.text("format") != format_name) f.bad(fmt::format("is of another format; expected {}", format_name));
  Hardware h{.name = f.text("name"), .title = f.text("title")};
  if (f.find("note")) h.note = f.text("note");
  if (const Json* aliases = f.find("aliases")) {
    if (!aliases->is_array() || !std::ranges::all_of(*aliases, [](const Json& a) { return a.is_string(); }))
      f.bad("should have a list of texts as \"aliases\"");
    h.aliases = aliases->get<std::vector<std::string>>();
  }
  std::string kind = f.text("kind"), activations = f.text("activations");
  if (kind != "gpu" && kind != "cpu") f.bad(fmt::format("has the kind \"{}\"; expected gpu or cpu", kind));
  h.kind = kind == "gpu" ? Hardware::Kind::gpu : Hardware::Kind::cpu;
  if (activations != "bf16" && activations != "f32")
    f.bad(fmt::format("stores activations as \"{}\"; expected bf16 or f32", activations));
  h.activations = activations == "bf16" ? DType::bf16 : DType::f32;

  Fields peaks = f.object("peaks");
  for (int a = 0; a < arithmetic_count; ++a)
    if (std::string key(arithmetic_names[a]); peaks.find(key)) h.peaks[static_cast<Arithmetic>(a)] = peaks.peak(key);
  peaks.end();
  if (h.peaks.empty()) peaks.bad("should hold at least one");

  Fields memory = f.object("memory");
  h.bandwidth = memory.figure("bandwidth", "B/s"), h.capacity = memory.figure("capacity", "B");
  memory.end();
  if (f.find("caches")) {
    Fields caches = f.object("caches");
    for (const char* level : {"L2", "L3"}) {
      if (!caches.find(level)) continue;
      Fields cache = caches.object(level);
      h.caches.push_back({level, cache.figure("bytes", "B"), cache.figure("bandwidth", "B/s")});
      cache.end();
    }
    caches.end();
  }
  if (f.find("link")) {
    Fields link = f.object("link");
    h.link = link.figure("bandwidth", "B/s");
    link.end();
  }
  if (f.find("efficiency")) h.efficiency = read_efficiency(f.object("efficiency"));
  if (const Json* engines = f.find("engines")) {
    Fields by_name = f.object("engines");
    for (const auto& [name, value] : engines->items()) h.engines[name] = read_efficiency(by_name.object(name));
  }
  if (f.find("measured")) h.measured = read_measurement(f.object("measured"));
  f.end();
  return h;
}

using Written = nlohmann::ordered_json;

Written written(const SourcedValue& figure, std::string_view unit, bool peak = false) {
  Written j;
  if (figure.value == std::floor(figure.value) && figure.value < 9e18)
    j["value"] = static_cast<int64_t>(figure.value);
  else
    j["value"] = figure.value;
  j["unit"] = unit;
  if (peak) j["sparsity"] = "dense";
  if (!figure.checked) j["checked"] = false;
  if (figure.spread) j["spread"] = *figure.spread;
  j["source"] = figure.source;
  return j;
}

Written written(const Efficiency& e) {
  Written j = Written::object();
  auto put = [&](const char* key, std::string_view unit, const SourcedValue& figure) {
    if (!figure.source.empty()) j[key] = written(figure, unit);
  };
  put("compute", "1", e.compute), put("memory", "1", e.memory), put("link", "1", e.link);
  for (const auto& [a, value] : e.compute_of) put(fmt::format("compute_{}", name_of(a)).c_str(), "1", value);
  put("overlap", "1", e.overlap);
  if (e.attention) put("attention", "1", *e.attention);
  put("step", "s", e.step), put("layer", "s", e.layer), put("op", "s", e.op);
  put("link_latency", "s", e.link_latency), put("interference", "1", e.interference);
  return j;
}

}  // namespace

std::string_view name_of(Arithmetic a) { return arithmetic_names[static_cast<int>(a)]; }

std::optional<Arithmetic> arithmetic_named(std::string_view name) {
  auto at = std::ranges::find(arithmetic_names, name);
  if (at == std::end(arithmetic_names)) return {};
  return static_cast<Arithmetic>(at - std::begin(arithmetic_names));
}

Hardware::Peak Hardware::peak(Arithmetic wanted) const {
  for (Arithmetic a : {wanted, Arithmetic::bf16, Arithmetic::fp32})
    if (auto at = peaks.find(a); at != peaks.end()) return {a, at->second};
  require(!peaks.empty(), "{} has no peak", name);
  return {peaks.begin()->first, peaks.begin()->second};
}

Hardware parse_hardware(std::string_view text, std::string_view what) {
  std::string file(what);
  try {
    return read_hardware(Fields(read_json(text, {"hardware_file", file}), file, ""));
  } catch (const Error& e) {
    if (e.code() != ExitCode::bad_data) throw;
    throw Error(ExitCode::bad_config, e.id(), e.what());
  }
}

Written hardware_json(const Hardware& h) {
  Written j = {{"format", format_name}, {"name", h.name}};
  if (!h.aliases.empty()) j["aliases"] = h.aliases;
  j["title"] = h.title;
  j["kind"] = h.kind == Hardware::Kind::gpu ? "gpu" : "cpu";
  j["activations"] = name_of(h.activations);
  if (!h.note.empty()) j["note"] = h.note;
  for (const auto& [a, figure] : h.peaks) j["peaks"][std::string(name_of(a))] = written(figure, "FLOP/s", true);
  j["memory"] = {{"bandwidth", written(h.bandwidth, "B/s")}, {"capacity", written(h.capacity, "B")}};
  for (const auto& c : h.caches)
    j["caches"][c.name] = {{"bytes", written(c.bytes, "B")}, {"bandwidth", written(c.bandwidth, "B/s")}};
  if (h.link) j["link"]["bandwidth"] = written(*h.link, "B/s");
  if (h.efficiency) j["efficiency"] = written(*h.efficiency);
  for (const auto& [name, e] : h.engines) j["engines"][name] = written(e);
  if (const auto& m = h.measured)
    j["measured"] = {
        {"date", m->date}, {"processor", m->processor}, {"threads", m->threads}, {"contended", m->contended}};
  return j;
}

const Hardware* find_hardware(std::string_view name) {
  for (const Hardware& h : hardware_catalogue())
    if (h.name == name || std::ranges::find(h.aliases, name) != h.aliases.end()) return &h;
  return nullptr;
}

const Hardware& hardware_named(std::string_view name) {
  if (const Hardware* found = find_hardware(name)) return *found;
  std::vector<std::pair<size_t, std::string_view>> near;
  for (const Hardware& h : hardware_catalogue()) {
    size_t distance = edit_distance(name, h.name);
    for (const auto& alias : h.aliases) distance = std::min(distance, edit_distance(name, alias));
    near.emplace_back(distance, h.name);
  }
  std::ranges::stable_sort(near, {}, &std::pair<size_t, std::string_view>::first);
  fail(ExitCode::usage, "unknown_hardware",
       "no file and no machine of the catalogue is called '{}'; nearest: {}, {}, {} (all: ridgeline plan "
       "--list-hardware)",
       name, near[0].second, near[1].second, near[2].second);
}

}  // namespace ridgeline
