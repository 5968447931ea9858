// What a bucket encrypts that does not say how it is to be encrypted: the document of
// PutBucketEncryption, read and written as AWS does. Pure functions.
#pragma once
#include <string>

#include "api/s3/error.h"
#include "auth/keys/envelope.h"

namespace outcrop::s3 {

struct EncryptionRule {
  keys::Mode mode = keys::Mode::managed;  ///< or kms
  std::string key;                        ///< of kms: as it was named; empty: the default key
  bool bucket_key = false;                ///< given back, without effect
};

/// MalformedXML, InvalidArgument, and NotImplemented for what exists in AWS and not here.
Outcome<EncryptionRule> parse_encryption(std::string text);
std::string encryption_document(const EncryptionRule& rule);

}  // namespace outcrop::s3
