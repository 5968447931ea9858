// The accounts that buckets and objects belong to, as ACLs and listings name them, and whom bucket
// policies name. Implemented by the store of identities; any thread.
#pragma once
#include <expected>
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
  /// A bucket policy as it is kept, with ids for the ARNs of users and roles, and as it is shown.
  /// The error is for the author of the policy.
  virtual std::expected<std::string, std::string> with_ids(std::string_view policy) const = 0;
  virtual std::string with_arns(std::string_view policy) const = 0;
};

}  // namespace outcrop::auth
