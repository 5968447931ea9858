// What a policy says, read from its text every time, slowly and in the order of AWS's
// documentation. Shares nothing with auth/policy but the meaning: its own JSON tree, wildcards,
// values, principals.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace outcrop::test {

struct OracleRequest {
  std::string action;    ///< "s3:GetObject"
  std::string resource;  ///< "arn:aws:s3:::b/k"
  bool anonymous = false, root = false;
  std::string arn, role_arn;  ///< of the caller
  /// Names as AWS writes them, in lower case up to a tag's name.
  std::map<std::string, std::vector<std::string>> context;
};

/// Whether a statement with that effect applies.
struct OracleVerdict {
  bool allows = false, denies = false;
};
/// `with_principal`: a bucket policy. The text must be a valid policy.
OracleVerdict ask_oracle(const std::string& policy,
                         bool with_principal,
                         const OracleRequest& request);

}  // namespace outcrop::test
