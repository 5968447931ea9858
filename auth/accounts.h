// The accounts that buckets and objects belong to, as ACLs and listings name them. Implemented by
// the store of identities; any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace outcrop::auth {

struct AccountName {
  std::string id;            ///< 12 digits
  std::string canonical_id;  ///< 64 hex digits, like AWS's
  std::string name;
  std::string email;  ///< empty: it has none
};

class Accounts {
 public:
  virtual ~Accounts() = default;
  /// Of those that were made beside the first account, which has the server's own name.
  virtual std::optional<AccountName> find_canonical(std::string_view canonical_id) const = 0;
  virtual std::optional<AccountName> find_email(std::string_view email) const = 0;
};

}  // namespace outcrop::auth
