// LIST by brute force over a sorted set of keys: the reference that listings are compared with.
#pragma once
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/ns/types.h"

namespace outcrop::test {

struct ModelPage {
  std::vector<std::pair<std::string, bool>> entries;  ///< key or common prefix; true: a prefix
  bool truncated = false;
};

template <class Keys>
ModelPage list_model(const Keys& keys, const ns::ListRequest& request) {
  std::set<std::pair<std::string, bool>> all;
  for (const std::string& key : keys) {
    if (!key.starts_with(request.prefix)) {
      continue;
    }
    const std::size_t at = request.delimiter.empty()
                               ? std::string::npos
                               : key.find(request.delimiter, request.prefix.size());
    if (at == std::string::npos) {
      all.emplace(key, false);
    } else {
      all.emplace(key.substr(0, at + request.delimiter.size()), true);
    }
  }
  ModelPage page;
  if (request.max_keys == 0) {
    return page;
  }
  for (const auto& entry : all) {
    if (!request.start_after.empty() && entry.first <= request.start_after) {
      continue;
    }
    if (page.entries.size() == request.max_keys) {
      page.truncated = true;
      break;
    }
    page.entries.push_back(entry);
  }
  return page;
}

}  // namespace outcrop::test
