// Who a request acts as, as policies see it, and the Principal element that names such.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outcrop::policy {

/// The one account there is (docs/adr/0005-identity-and-policy.md).
inline constexpr std::string_view kAccount = "000000000000";

/// Borrows its text from the authenticated principal.
struct Subject {
  /// web_identity: who has a token of an identity provider, and asks for a role with it.
  enum class Kind : std::uint8_t { anonymous, root, user, role_session, web_identity };
  Kind kind = Kind::anonymous;
  std::string_view account;       ///< empty: anonymous
  std::string_view arn;           ///< arn:aws:iam::ACCOUNT:user/NAME, or of the session of a role,
                                  ///< or of the identity provider
  std::string_view role_arn;      ///< of a role_session
  std::string_view canonical_id;  ///< of the account, 64 hex digits
  std::string_view id{};  ///< of the user, or of the role of a session: "AIDA...", "AROA..."
};

/// Whether the text can be the id of a user or role, which nobody else will ever have.
bool is_principal_id(std::string_view text);

/// Who a Principal element means. An account means its root user, or, where `wide`, everybody in
/// it: AWS delegates an Allow to the account's own policies, and applies a Deny to all of it. "*"
/// lets in whoever signs, but not whoever has a token of some provider: that is to be named.
class PrincipalSet {
 public:
  /// An account, a user, a role or a session of one by ARN, or one of the former by its id. False:
  /// the name is malformed, or has wildcards in it.
  bool add_aws(std::string_view name);
  void add_canonical(std::string_view id) { x_names.push_back({Kind::canonical, std::string(id)}); }
  /// An identity provider by ARN; others (of SAML, and those that AWS knows by name) are nobody
  /// that has tokens here. False: malformed.
  bool add_federated(std::string_view name);
  /// A service: nobody that signs requests here.
  void add_foreign(std::string_view name) { x_names.push_back({Kind::foreign, std::string(name)}); }
  void add_everyone() { x_everyone = true; }

  bool contains(const Subject& subject, bool wide) const;
  /// Whether it names the subject himself: a user by ARN or id, a session of a role by its own ARN.
  bool names(const Subject& subject) const;
  bool everyone() const { return x_everyone; }

 private:
  enum class Kind : std::uint8_t { account, arn, id, canonical, federated, foreign };
  struct Name {
    Kind kind;
    std::string text;
  };
  bool x_everyone = false;
  std::vector<Name> x_names;
};

}  // namespace outcrop::policy
