#include "auth/identity/aws_policies.h"

#include "storage/base/assert.h"

namespace outcrop::identity {
namespace {

struct Row {
  std::string_view name, id, description, document;
};

/// 2015-02-06T18:39:46Z, when AWS made the oldest of them.
constexpr std::int64_t kCreatedNs = 1'423'247'986'000'000'000;

// What each allows is AWS's; actions of services that are not here are left out.
constexpr Row kRows[] = {
    {"AdministratorAccess", "ANPAOUTCROPADMINIST2",
     "Provides full access to AWS services and resources.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})"},
    {"PowerUserAccess", "ANPAOUTCROPPOWERUSE2",
     "Provides full access to AWS services and resources, but does not allow management of Users "
     "and groups.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*"],)"
     R"("Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole",)"
     R"("iam:DeleteServiceLinkedRole","iam:ListRoles"],"Resource":"*"}]})"},
    {"ReadOnlyAccess", "ANPAOUTCROPREADONLY2",
     "Provides read-only access to AWS services and resources.",
     R"({"Version":"2012-10-17","Statement":[{"Sid":"ReadOnlyActions","Effect":"Allow","Action":[)"
     R"("iam:Generate*","iam:Get*","iam:List*","iam:Simulate*","kms:Describe*","kms:Get*",)"
     R"("kms:List*","s3:DescribeJob","s3:Get*","s3:List*","sts:GetAccessKeyInfo",)"
     R"("sts:GetCallerIdentity","sts:GetSessionToken"],"Resource":"*"}]})"},
    {"AmazonS3FullAccess", "ANPAOUTCROPS3FULLAC2",
     "Provides full access to all buckets via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],)"
     R"("Resource":"*"}]})"},
    {"AmazonS3ReadOnlyAccess", "ANPAOUTCROPS3READON2",
     "Provides read only access to all buckets via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*",)"
     R"("s3:Describe*"],"Resource":"*"}]})"},
    {"IAMFullAccess", "ANPAOUTCROPIAMFULLA2",
     "Provides full access to IAM via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*"],)"
     R"("Resource":"*"}]})"},
    {"IAMReadOnlyAccess", "ANPAOUTCROPIAMREADO2",
     "Provides read only access to IAM via the AWS Management Console.",
     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[)"
     R"("iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*",)"
     R"("iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],)"
     R"("Resource":"*"}]})"},
    {"AWSDenyAll", "ANPAOUTCROPAWSDENYA2", "Deny all access.",
     R"({"Version":"2012-10-17","Statement":[{"Sid":"DenyAll","Effect":"Deny","Action":["*"],)"
     R"("Resource":"*"}]})"},
};

std::map<std::string, ManagedPtr, std::less<>> made() {
  std::map<std::string, ManagedPtr, std::less<>> out;
  for (const Row& row : kRows) {
    auto policy = std::make_shared<ManagedPolicy>();
    policy->aws = true;
    policy->name = row.name;
    policy->id = row.id;
    policy->description = row.description;
    policy->created_ns = policy->version_ns = kCreatedNs;
    policy->document = make_policy(policy->name, std::string(row.document));
    OUTCROP_ASSERT(policy->document->compiled);
    out.emplace(policy->arn(), std::move(policy));
  }
  return out;
}

}  // namespace

const std::map<std::string, ManagedPtr, std::less<>>& aws_policies() {
  static const auto all = made();
  return all;
}

}  // namespace outcrop::identity
