// Fetching a model from the hub into its cache, and finding one there.
#pragma once
#include <string>
#include <vector>

#include "hub/client.h"
#include "hub/reference.h"
#include "hub/selection.h"

namespace ridgeline {

struct PullRequest {
  HubReference what;
  std::string revision = "main";        // a branch, a tag or a commit
  std::vector<std::string> names = {};  // these files, instead of those that make the model
};

struct Pulled {
  std::string repository, revision, commit;
  std::string
      path;  // in the cache: the GGUF file (the first part of a split one), or the folder of a safetensors model
  struct File {
    HubFile file;
    std::string path;
    bool fetched;  // now; false: it was there
  };
  std::vector<File> files;
};

// Asks the hub what the revision means now and fetches what is missing; every content is held to the size and the hash the
// hub promises before it gets its name, so that a file in the cache is whole. What an attempt left is taken up again. Where the
// hub cannot be reached, or settings.offline, the cache answers. Throws Error as HubClient and HubCache do;
// (bad_data, "hash_differs") for content that is not what was promised, which is not kept; (unavailable, "not_in_cache").
Pulled pull(const HubSettings& settings, const PullRequest& request, const PullObserver& observer);

// The same from the cache alone; changes nothing. Throws Error (cannot_open, "not_in_cache").
Pulled find_in_cache(const HubSettings& settings, const PullRequest& request);

// What there is to pull, from the hub, or offline from the cache; `cached`: which of the files are there.
struct Listed {
  std::vector<HubFile> files;
  std::vector<bool> cached;
};
Listed list_repository(const HubSettings& settings, const PullRequest& request, const PullObserver& observer);

}  // namespace ridgeline
