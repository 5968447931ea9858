// One answer for all keys of a bucket below a prefix: for those who cannot ask for each request,
// like an NFS export. What is allowed here is allowed by decide() for every such key; the other way
// round not always: a Deny for some of the keys, or a condition that depends on the request, makes
// it a no.
#pragma once
#include "auth/policy/evaluate.h"

namespace outcrop::policy {

struct Below {
  std::string_view bucket;
  std::string_view prefix;  ///< "", or a directory with its slash, "train/images/"
  const Subject& subject;
  const Context& context;  ///< asked about the caller only
};

bool allowed_below(const PolicySet& policies, Action action, const Below& below);

}  // namespace outcrop::policy
