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
  std::string arn, role_arn, id, canonical_id;  ///< of the caller
  /// Names as AWS writes them, in lower case up to a tag's name.
  std::map<std::string, std::vector<std::string>> context;
};

/// Whether a statement with that effect applies.
struct OracleVerdict {
  bool allows = false, denies = false;
  bool names = false;  ///< one that allows names the caller: the user, or the session of a role
};
/// What has been asked so far, and what came of it: so that a test can tell that it asked enough.
struct OracleReach {
  enum Result : unsigned { no = 1, yes = 2, unclear = 4 };
  std::map<std::string, unsigned> operators;  ///< lower case, without quantifier; Results
  std::map<std::string, unsigned> keys;       ///< as in OracleRequest::context; Results
  std::map<std::string, unsigned> variables;  ///< yes: had one value; no: another number of them
  std::map<std::string, unsigned>
      elements;  ///< NotAction and the like: yes if the statement applied
};

/// `with_principal`: a bucket policy. The text must be a valid policy.
OracleVerdict ask_oracle(const std::string& policy,
                         bool with_principal,
                         const OracleRequest& request,
                         OracleReach& reach);

}  // namespace outcrop::test
