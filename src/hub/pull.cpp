#include "hub/pull.h"

#include <filesystem>

#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "hub/blob.h"
#include "hub/cache.h"

namespace ridgeline {
namespace {

Selection select(const std::vector<HubFile>& files, const PullRequest& r) {
  return r.names.empty() ? select_model(files, r.what.tag, r.what.repository)
                         : select_files(files, r.names, r.what.repository);
}

std::string path_of(const HubCache& cache, const std::string& commit, const std::string& model) {
  return model.empty() ? cache.snapshot(commit) : cache.snapshot(commit) + "/" + model;
}

[[noreturn]] void changed(const PullRequest& r) {
  fail(ExitCode::unavailable, "hub_changed", "{} was changed while it was fetched; run the same pull again",
       r.what.repository);
}

// One blob, from nothing or from where an earlier attempt ended.
class Fetch {
 public:
  Fetch(const HubClient& hub, const HubCache& cache, const HubFile& file, const std::string& commit,
        const PullRequest& request, const PullObserver& observer)
      : hub_(hub),
        blob_(cache.blob(file.etag), file),
        file_(file),
        commit_(commit),
        request_(request),
        observer_(observer) {}

  void run() {
    bool resumed = blob_.size() > 0;
    for (;;) {
      receive();
      auto fault = blob_.fault();
      if (!fault) return blob_.finish();
      blob_.restart();
      if (std::exchange(resumed, false))
        continue;  // what an earlier attempt left may have been the fault: once from the start
      blob_.remove();
      fail(ExitCode::bad_data, "hash_differs",
           "what arrived as {} is not what the hub promised: {}\n  It is not kept. A proxy may have changed it; try "
           "again.",
           escaped(file_.name), *fault);
    }
  }

 private:
  bool whole() const { return file_.bytes >= 0 && blob_.size() == file_.bytes; }

  // Until all bytes are there.
  void receive() {
    if (file_.bytes >= 0 && blob_.size() > file_.bytes) blob_.restart();
    for (int failures = 0, resumes = 0; !whole();) {
      int64_t before = blob_.size();
      HttpAnswer answer = attempt();
      if (answer.ok() && (whole() || file_.bytes < 0)) return;
      if (answer.status() == 416) {  // the server has less than we have
        blob_.restart();
        if (before == 0) hub_.fail_with(answer, file_.name);
      }
      if (answer.ok())
        answer.fault = HttpFault::cut,
        answer.fault_text = fmt::format("{} of {} bytes came", blob_.size(), file_.bytes);
      bool came = blob_.size() > before;
      failures = came ? 1 : failures + 1;
      bool passes = HubClient::may_pass(answer) || answer.status() == 416 ||
                    (answer.fault == HttpFault::unreachable && blob_.size() > 0);
      if (!passes || failures >= limits::hub_attempts || ++resumes > limits::hub_resumes)
        hub_.fail_with(answer, file_.name);
      hub_.wait(failures, answer);
    }
  }

  HttpAnswer attempt() {
    bool takes = false;
    HttpCallbacks callbacks;
    callbacks.begin = [&](const HttpResponse& r) { takes = begin(r); };
    callbacks.body = [&](std::string_view part) {
      if (takes) take(part);
      return takes;
    };
    callbacks.interrupted = observer_.interrupted;
    HttpAnswer answer = hub_.get(file_.name, static_cast<uint64_t>(blob_.size()), callbacks);
    if (answer.ok()) {
      auto head = HubClient::read_head(answer);
      if (!head.commit.empty() && head.commit != commit_) changed(request_);
    }
    return answer;
  }
  // Where the bytes of a response go; false: they are no content.
  bool begin(const HttpResponse& r) {
    if (r.status == 200 && blob_.size() > 0) blob_.restart();  // Range was ignored: this is the whole
    if (r.status == 200) return true;
    if (r.status != 206) return false;
    auto range = r.header("content-range").value_or("");
    if (!range.starts_with(fmt::format("bytes {}-", blob_.size())))
      fail(ExitCode::bad_data, "hub_range", "asked for {} from byte {} on, the hub answered with '{}'",
           escaped(file_.name), blob_.size(), escaped(range));
    return true;
  }
  void take(std::string_view part) {
    if (file_.bytes >= 0 && static_cast<int64_t>(part.size()) > file_.bytes - blob_.size()) {
      blob_.remove();
      fail(ExitCode::bad_data, "hash_differs", "{} should have {} bytes, and more arrive; it is not kept",
           escaped(file_.name), file_.bytes);
    }
    blob_.write(part);
    if (observer_.progress) observer_.progress(file_, blob_.size());
  }

  const HubClient& hub_;
  IncompleteBlob blob_;
  const HubFile& file_;
  const std::string& commit_;
  const PullRequest& request_;
  const PullObserver& observer_;
};

// Fills in what a listing did not say, and learns what the revision is now.
std::string describe(const HubClient& hub, const PullRequest& r, Selection& selection) {
  std::string commit;
  for (size_t i = 0; i < selection.files.size(); ++i) {
    HubFile& file = selection.files[i];
    if (i && !file.etag.empty() && file.bytes >= 0) continue;
    auto head = hub.head(file.name);
    if (i == 0) commit = head.commit;
    if (head.commit != commit || (!file.etag.empty() && !head.etag.empty() && head.etag != file.etag)) changed(r);
    if (file.etag.empty()) file.etag = head.etag;
    if (file.bytes < 0) file.bytes = head.bytes;
    if (commit.empty() || file.etag.empty())
      fail(ExitCode::bad_data, "hub_headers", "the answer about {} lacks {}: is {} a hub?", escaped(file.name),
           commit.empty() ? "X-Repo-Commit" : "ETag", r.what.repository);
  }
  return commit;
}

int64_t bytes_to_come(const HubCache& cache, const std::vector<HubFile>& files) {
  int64_t sum = 0;
  for (const auto& f : files) {
    if (cache.has(f) || f.bytes < 0) continue;
    std::error_code none;
    auto there = std::filesystem::file_size(cache.blob(f.etag) + ".incomplete", none);
    int64_t rest = f.bytes - (none ? 0 : static_cast<int64_t>(there));
    if (__builtin_add_overflow(sum, std::max<int64_t>(rest, 0), &sum)) return INT64_MAX;
  }
  return sum;
}

Pulled pull_from_hub(const HubSettings& settings, const PullRequest& r, const PullObserver& observer) {
  HubClient hub(settings, r.what.repository, r.revision, observer);
  HubCache cache(settings.cache, r.what.repository);
  Selection selection = select(hub.list(), r);
  std::string commit = describe(hub, r, selection);
  cache.prepare();
  cache.require_space(bytes_to_come(cache, selection.files));
  Pulled done{r.what.repository, r.revision, commit, path_of(cache, commit, selection.model), {}};
  for (const HubFile& file : selection.files) {
    bool there = cache.has(file);
    if (!there) {
      BlobLock lock(
          cache, file.etag,
          [&] {
            if (observer.note) observer.note("another process is fetching " + escaped(file.name) + "; waiting for it");
          },
          observer.interrupted);
      there = cache.has(file);
      if (!there) Fetch(hub, cache, file, commit, r, observer).run();
    }
    cache.link(commit, file);
    done.files.push_back({file, path_of(cache, commit, file.name), !there});
  }
  cache.set_commit(r.revision, commit);  // last: it leads to whole models only
  return done;
}

// The revision's commit in the cache. A repository fetched by commit alone, by another tool, has no refs: its one snapshot then.
std::optional<std::string> commit_in_cache(const HubCache& cache, const std::string& revision) {
  if (auto commit = cache.commit(revision)) return commit;
  std::vector<std::string> snapshots;
  std::error_code error;
  for (std::filesystem::directory_iterator it(cache.folder() + "/snapshots", error), end; !error && it != end;
       it.increment(error))
    snapshots.push_back(it->path().filename().string());
  if (revision == "main" && snapshots.size() == 1) return snapshots[0];
  return {};
}

[[noreturn]] void not_in_cache(const HubSettings& settings, const PullRequest& r, std::string_view why) {
  fail(ExitCode::cannot_open, "not_in_cache", "{} is not in the cache, {}{}{}", r.what.text(), settings.cache,
       why.empty() ? "" : ":\n  ", why);
}

bool is_absence_of_network(const Error& e) { return e.id() == "hub_unreachable" || e.id() == "hub_timeout"; }

void check(const PullRequest& r) {
  if (auto fault = fault_of_path(r.revision); !fault.empty())
    fail(ExitCode::usage, "bad_revision", "the revision '{}' {}", escaped(r.revision), fault);
}

}  // namespace

Pulled find_in_cache(const HubSettings& settings, const PullRequest& r) {
  check(r);
  HubCache cache(settings.cache, r.what.repository);
  auto commit = commit_in_cache(cache, r.revision);
  if (!commit) not_in_cache(settings, r, "");
  auto files = cache.files(*commit);
  if (files.empty()) not_in_cache(settings, r, "");
  Selection selection;
  try {
    selection = select(files, r);
  } catch (const Error& e) {
    if (e.code() == ExitCode::usage) throw;
    not_in_cache(settings, r, e.what());
  }
  Pulled found{r.what.repository, r.revision, *commit, path_of(cache, *commit, selection.model), {}};
  for (const auto& f : selection.files) found.files.push_back({f, path_of(cache, *commit, f.name), false});
  return found;
}

Pulled pull(const HubSettings& settings, const PullRequest& r, const PullObserver& observer) {
  check(r);
  if (settings.offline) {
    try {
      return find_in_cache(settings, r);
    } catch (const Error& e) {
      if (e.id() != "not_in_cache") throw;
      throw Error(ExitCode::unavailable, e.id(), fmt::format("offline, and {}", e.what()));
    }
  }
  try {
    return pull_from_hub(settings, r, observer);
  } catch (const Error& unreachable) {
    if (!is_absence_of_network(unreachable)) throw;
    try {
      Pulled found = find_in_cache(settings, r);
      if (observer.note)
        observer.note(fmt::format("{}\n  This is what the cache holds of {}.", unreachable.what(), r.what.text()));
      return found;
    } catch (const Error&) { throw unreachable; }
  }
}

Listed list_repository(const HubSettings& settings, const PullRequest& r, const PullObserver& observer) {
  check(r);
  HubCache cache(settings.cache, r.what.repository);
  Listed listed;
  if (settings.offline) {
    auto commit = commit_in_cache(cache, r.revision);
    if (commit) listed.files = cache.files(*commit);
    if (listed.files.empty())
      fail(ExitCode::unavailable, "not_in_cache", "offline, and {} is not in the cache, {}", r.what.repository,
           settings.cache);
    listed.cached.assign(listed.files.size(), true);
    return listed;
  }
  listed.files = HubClient(settings, r.what.repository, r.revision, observer).list();
  for (const auto& f : listed.files) listed.cached.push_back(!f.etag.empty() && cache.has(f));
  return listed;
}

}  // namespace ridgeline
