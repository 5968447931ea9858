// What AWS has beside identities and policies and this server does not: passwords, second factors,
// certificates, instance profiles. Readings find nothing, as on AWS where nothing was made;
// what would make something is not in the table of actions, and so NotImplemented.
#include "api/iam/answer.h"
#include "api/iam/table.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::EntityKind;

Checked<> empty_list(Call& call, std::string_view element) {
  const auto page = page_of(call, {});
  if (!page) {
    return std::unexpected(page.error());
  }
  call.xml.open(element).close();
  return {};
}

/// The list of a user, who must be there if he is named.
Answer empty_list_of_user(Call& call, std::string_view element) {
  const auto name = call.form.find("UserName") ? call.user_name() : std::string();
  if (!name) {
    co_return std::unexpected(name.error());
  }
  if (!name->empty()) {
    if (const auto user = identity::need(*call.state, EntityKind::user, *name); !user) {
      co_return std::unexpected(user.error());
    }
  }
  co_return empty_list(call, element);
}

}  // namespace

Answer list_mfa_devices(Call& call) { return empty_list_of_user(call, "MFADevices"); }
Answer list_ssh_public_keys(Call& call) { return empty_list_of_user(call, "SSHPublicKeys"); }
Answer list_signing_certificates(Call& call) { return empty_list_of_user(call, "Certificates"); }
Answer list_service_credentials(Call& call) {
  return empty_list_of_user(call, "ServiceSpecificCredentials");
}
Answer list_virtual_mfa_devices(Call& call) { co_return empty_list(call, "VirtualMFADevices"); }
Answer list_account_aliases(Call& call) { co_return empty_list(call, "AccountAliases"); }
Answer list_instance_profiles(Call& call) { co_return empty_list(call, "InstanceProfiles"); }
Answer list_server_certificates(Call& call) {
  co_return empty_list(call, "ServerCertificateMetadataList");
}
Answer list_saml_providers(Call& call) {
  call.xml.open("SAMLProviderList").close();
  co_return Checked<>{};
}

Answer list_instance_profiles_for_role(Call& call) {
  const std::string name = call.form.get("RoleName");
  if (const auto role = identity::need(*call.state, EntityKind::role, name); !role) {
    co_return std::unexpected(role.error());
  }
  co_return empty_list(call, "InstanceProfiles");
}
/// GetLoginProfile, and DeleteLoginProfile: of something that is not there.
Answer no_login_profile(Call& call) {
  const auto name = call.user_name();
  if (!name) {
    co_return std::unexpected(name.error());
  }
  if (const auto user = identity::need(*call.state, EntityKind::user, *name); !user) {
    co_return std::unexpected(user.error());
  }
  co_return identity::refuse(identity::IamCode::no_such_entity,
                             "Login Profile for User " + *name + " cannot be found.");
}

Answer no_instance_profile(Call& call) {
  co_return identity::refuse(
      identity::IamCode::no_such_entity,
      "Instance Profile " + call.form.get("InstanceProfileName") + " cannot be found.");
}

Answer no_password_policy(Call&) {
  co_return identity::refuse(identity::IamCode::no_such_entity,
                             "The Password Policy with domain name " +
                                 std::string(policy::kAccount) + " cannot be found.");
}

}  // namespace outcrop::iam
