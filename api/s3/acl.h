// ACLs on the wire: x-amz-acl, x-amz-grant-* and AccessControlPolicy documents, and the ACL that a
// new object gets. What they mean is in auth/access/acl.h.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/s3/call.h"
#include "api/s3/xml_out.h"
#include "auth/access/acl.h"

namespace outcrop::s3 {

/// Owners and grantees by name.
struct People {
  const S3Config& config;

  /// The server's name for the first account, an account's own for the others; empty: nobody's id.
  std::optional<std::string> name_of(std::string_view canonical_id) const;
  /// <Owner><ID/><DisplayName/></Owner>, or another tag.
  void write(XmlWriter& xml, std::string_view tag, std::string_view canonical_id) const;
};

/// x-amz-acl, or an x-amz-grant-* header.
bool is_acl_header(std::string_view name);

/// Whose an ACL is.
struct AclSubject {
  std::string owner, bucket_owner;  ///< canonical ids
  access::Ownership ownership = access::Ownership::enforced;
  bool ownership_chosen = false;  ///< BucketAccess::ownership_chosen
  bool block_public = false;      ///< the bucket's BlockPublicAcls
};
/// Of the object or bucket that the request makes.
AclSubject new_subject(const Call& call);

/// What the headers ask for; empty: nothing. Refused: what the ownership or the public access block
/// does not allow, and grantees that there are not. InvalidArgument, InvalidRequest,
/// AccessControlListNotSupported, InvalidBucketAclWithObjectOwnership, AccessDenied.
Outcome<std::optional<access::Acl>> acl_of_headers(const Call& call, const AclSubject& subject);
/// An AccessControlPolicy document whose Owner, if it has one, must be `owner`. AccessDenied,
/// MalformedACLError, and as for headers what is wrong with grantees.
Outcome<access::Acl> parse_acl(const S3Config& config,
                               std::string document,
                               const std::string& owner);
/// The Owner of a document; MalformedACLError.
Outcome<std::string> owner_in_acl(std::string document);
/// What the bucket does not let an ACL say; acl_of_headers() has asked.
Outcome<> check_acl(const Call& call, const AclSubject& subject, const access::Acl& acl);

/// ObjectAttributes::acl of the object that the request makes. After check_features().
Outcome<std::string> new_object_acl(const Call& call);

std::string acl_document(const S3Config& config, const access::Acl& acl);

/// The ObjectOwnership of an OwnershipControls document. MalformedXML.
Outcome<access::Ownership> parse_ownership(std::string document);

}  // namespace outcrop::s3
