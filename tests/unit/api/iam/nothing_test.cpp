// What AWS has and this server does not: readings find nothing, changes are not implemented.
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

TEST_F(Iam, ListsOfWhatThereIsNothingOf) {
  new_user("alice");
  new_role("r", R"("*")", kAllowAll);
  const std::string aws = "arn:aws:iam::aws:policy/IAMFullAccess";
  const std::vector<std::tuple<std::string, Parameters, std::string>> lists{
      {"ListMFADevices", {{"UserName", "alice"}}, "MFADevices"},
      {"ListSSHPublicKeys", {{"UserName", "ALICE"}}, "SSHPublicKeys"},
      {"ListSigningCertificates", {{"UserName", "alice"}}, "Certificates"},
      {"ListServiceSpecificCredentials", {{"UserName", "alice"}}, "ServiceSpecificCredentials"},
      {"ListVirtualMFADevices", {{"AssignmentStatus", "Assigned"}}, "VirtualMFADevices"},
      {"ListUserTags", {{"UserName", "alice"}}, "Tags"},
      {"ListRoleTags", {{"RoleName", "r"}}, "Tags"},
      {"ListPolicyTags", {{"PolicyArn", aws}}, "Tags"},
      {"ListInstanceProfiles", {}, "InstanceProfiles"},
      {"ListInstanceProfilesForRole", {{"RoleName", "r"}}, "InstanceProfiles"},
      {"ListAccountAliases", {}, "AccountAliases"},
      {"ListServerCertificates", {}, "ServerCertificateMetadataList"},
      {"ListSAMLProviders", {}, "SAMLProviderList"}};
  for (const auto& [action, parameters, element] : lists) {
    works(action, parameters);
    const Reply reply = send(action, parameters);
    EXPECT_EQ(count(reply.body, "<" + element), 1U) << reply.body;
    EXPECT_EQ(count(reply.body, "<member>"), 0U) << reply.body;
    if (action != "ListSAMLProviders") {
      EXPECT_EQ(text(reply.body, "IsTruncated"), "false") << action;
    }
  }
}

TEST_F(Iam, OfWhomThereIsNotThereIsNoList) {
  for (const char* action : {"ListMFADevices", "ListSSHPublicKeys", "ListSigningCertificates",
                             "ListServiceSpecificCredentials", "ListUserTags", "GetLoginProfile",
                             "DeleteLoginProfile"}) {
    EXPECT_EQ(failure(action, {{"UserName", "nobody"}}), "NoSuchEntity") << action;
  }
  for (const char* action : {"ListRoleTags", "ListInstanceProfilesForRole"}) {
    EXPECT_EQ(failure(action, {{"RoleName", "nobody"}}), "NoSuchEntity") << action;
  }
  EXPECT_EQ(failure("ListPolicyTags", {{"PolicyArn", "arn:aws:iam::000000000000:policy/x"}}),
            "NoSuchEntity");
  EXPECT_EQ(failure("ListOpenIDConnectProviderTags",
                    {{"OpenIDConnectProviderArn", "arn:aws:iam::000000000000:oidc-provider/x"}}),
            "NoSuchEntity");
}

TEST_F(Iam, WhatNobodyHas) {
  new_user("alice");
  for (const char* action : {"GetLoginProfile", "DeleteLoginProfile"}) {
    EXPECT_EQ(failure(action, {{"UserName", "alice"}}), "NoSuchEntity") << action;
  }
  EXPECT_EQ(failure("GetAccountPasswordPolicy", {}), "NoSuchEntity");
  EXPECT_EQ(failure("GetInstanceProfile", {{"InstanceProfileName", "x"}}), "NoSuchEntity");
}

TEST_F(Iam, NothingIsMadeThatHasNoEffect) {
  new_user("alice");
  for (const char* action :
       {"TagMFADevice", "TagInstanceProfile", "CreateLoginProfile", "UpdateLoginProfile",
        "CreateInstanceProfile", "CreateAccountAlias", "UpdateAccountPasswordPolicy",
        "UploadSSHPublicKey", "CreateVirtualMFADevice", "EnableMFADevice",
        "CreateServiceSpecificCredential"}) {
    EXPECT_EQ(failure(action, {{"UserName", "alice"}}), "NotImplemented") << action;
  }
}

}  // namespace
}  // namespace outcrop::iam::test
