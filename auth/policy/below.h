// One answer for all keys of a bucket below a prefix, those that are not there yet too: for whom
// decides for a directory, like an NFS export or the rename of a directory. What is allowed here is
// allowed by decide() for every such key; the other way round not always: a Deny for some of the
// keys makes it a no, and so does a condition about a request where there is none.
#pragma once
#include "auth/policy/evaluate.h"

namespace outcrop::policy {

struct Below {
  std::string_view bucket;
  std::string_view prefix;  ///< "", or a directory with its slash, "train/images/"
  const Subject& subject;
  const Context& context;
  /// The context is of the one request that is about all of the keys: every condition is asked,
  /// but for the tags that each object has. Else only those about the caller are, which are the
  /// same in all his requests.
  bool one_request = false;
};

bool allowed_below(const PolicySet& policies, Action action, const Below& below);

}  // namespace outcrop::policy
