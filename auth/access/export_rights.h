// What an access key may do with a directory of a bucket as a whole: what an export that acts as it
// may do at most. Any thread; as long as a few policies take to read.
#pragma once
#include <string_view>

#include "auth/access/access_table.h"
#include "auth/identity/identity_store.h"

namespace outcrop::access {

struct Rights {
  bool read = false;   ///< s3:GetObject on every key
  bool write = false;  ///< s3:PutObject and s3:DeleteObject on every key
  bool list = false;   ///< s3:ListBucket
  bool operator==(const Rights&) const = default;
};

/// `access_key` empty: the root user's. `prefix`: "" or "train/images", without a slash at its end.
/// A key that is not there, or is switched off, may do nothing.
Rights rights_below(const identity::IdentityStore& identities,
                    const AccessTable& table,
                    std::string_view access_key,
                    std::string_view bucket,
                    std::string_view prefix);

}  // namespace outcrop::access
