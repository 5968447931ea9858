// One IAM or STS request that is authenticated and authorised, and the answer it writes.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/iam/form.h"
#include "api/iam/permit.h"
#include "api/s3/xml_out.h"
#include "auth/identity/identity_store.h"
#include "auth/oidc/key_source.h"

namespace outcrop::iam {

struct Call {
  const Form& form;
  identity::IdentityStore& store;
  const identity::StatePtr state;  ///< when the request came
  const auth::Identity& who;
  std::string_view access_key;
  const policy::Context& context;
  const Permit permit;
  s3::XmlWriter& xml;  ///< inside the <...Result> element
  const Clock& clock;
  oidc::KeySource* keys;  ///< of identity providers; null: none can be reached
  std::string_view region;

  // For the audit log, from the handler.
  std::string new_key{};             ///< id of the access key that was made
  std::optional<policy::Why> why{};  ///< if it has decided by itself
  std::string holder{};              ///< whose token it was: "PROVIDER:SUBJECT"

  /// The user that UserName names (as he is written, if he is there), or the caller without one.
  /// ValidationError for callers who are no user: a session of a role is nobody's, and the root
  /// user has no keys here.
  identity::Checked<std::string> user_name() const;
};

using Answer = identity::Change<>;

Answer create_user(Call& call);
Answer get_user(Call& call);
Answer list_users(Call& call);
Answer delete_user(Call& call);
Answer create_group(Call& call);
Answer get_group(Call& call);
Answer list_groups(Call& call);
Answer list_groups_for_user(Call& call);
Answer delete_group(Call& call);
Answer add_user_to_group(Call& call);
Answer remove_user_from_group(Call& call);
Answer create_role(Call& call);
Answer get_role(Call& call);
Answer list_roles(Call& call);
Answer delete_role(Call& call);
Answer update_role(Call& call);
Answer update_role_description(Call& call);
/// UpdateUser and UpdateGroup.
template <identity::EntityKind kind>
Answer rename(Call& call);
Answer get_account_summary(Call& call);
Answer get_account_authorization_details(Call& call);
Answer update_assume_role_policy(Call& call);

Answer create_access_key(Call& call);
Answer list_access_keys(Call& call);
Answer update_access_key(Call& call);
Answer delete_access_key(Call& call);
Answer get_access_key_last_used(Call& call);

Answer create_policy(Call& call);
Answer get_policy(Call& call);
Answer get_policy_version(Call& call);
Answer list_policies(Call& call);
Answer list_policy_versions(Call& call);
Answer delete_policy(Call& call);
Answer create_policy_version(Call& call);
Answer set_default_policy_version(Call& call);
Answer delete_policy_version(Call& call);
Answer list_entities_for_policy(Call& call);
template <identity::EntityKind kind>
Answer put_inline_policy(Call& call);
template <identity::EntityKind kind>
Answer get_inline_policy(Call& call);
template <identity::EntityKind kind>
Answer list_inline_policies(Call& call);
template <identity::EntityKind kind>
Answer delete_inline_policy(Call& call);
template <identity::EntityKind kind>
Answer put_boundary(Call& call);
template <identity::EntityKind kind>
Answer delete_boundary(Call& call);
template <identity::EntityKind kind>
Answer attach_policy(Call& call);
template <identity::EntityKind kind>
Answer detach_policy(Call& call);
template <identity::EntityKind kind>
Answer list_attached_policies(Call& call);

template <identity::IdentityStore::Tagged::Kind kind>
Answer tag(Call& call);
template <identity::IdentityStore::Tagged::Kind kind>
Answer untag(Call& call);
template <identity::IdentityStore::Tagged::Kind kind>
Answer list_tags(Call& call);

Answer simulate_principal_policy(Call& call);
Answer simulate_custom_policy(Call& call);
Answer get_context_keys_for_principal(Call& call);
Answer get_context_keys_for_custom(Call& call);

Answer get_caller_identity(Call& call);
Answer get_session_token(Call& call);
Answer get_access_key_info(Call& call);
Answer assume_role(Call& call);
Answer assume_role_with_web_identity(Call& call);

Answer create_provider(Call& call);
Answer get_provider(Call& call);
Answer list_providers(Call& call);
Answer delete_provider(Call& call);
Answer add_client_id(Call& call);
Answer remove_client_id(Call& call);
Answer update_thumbprints(Call& call);

// Of what there is nothing (nothing.cpp).
Answer list_mfa_devices(Call& call);
Answer list_virtual_mfa_devices(Call& call);
Answer list_ssh_public_keys(Call& call);
Answer list_signing_certificates(Call& call);
Answer list_service_credentials(Call& call);
Answer list_account_aliases(Call& call);
Answer list_instance_profiles(Call& call);
Answer list_instance_profiles_for_role(Call& call);
Answer list_server_certificates(Call& call);
Answer list_saml_providers(Call& call);
Answer no_login_profile(Call& call);
Answer no_instance_profile(Call& call);
Answer no_password_policy(Call& call);

}  // namespace outcrop::iam
