// Encryption of objects: from what a request, or the default of its bucket, asks for to the data
// key that storage seals with and the envelope that stands with the object; and back. What is plain
// costs a look at two flags of the call, and at the bucket's settings, which are in memory.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/s3/call.h"
#include "api/s3/encryption_headers.h"
#include "auth/keys/vault.h"
#include "storage/ns/namespace.h"

namespace outcrop::s3 {

/// Who will have the key of an object that the request makes.
class Sealing {
 public:
  Sealing() = default;  ///< nobody: it is plain
  bool plain() const { return !x_head; }
  /// The ETag of the object is its MD5; of others nobody is told that, as in AWS.
  bool has_md5() const { return plain() || x_head->mode == keys::Mode::managed; }
  /// A new envelope around a data key; empty for what is plain.
  std::string wrap(const Call& call, const ns::DataKey& data_key) const;

 private:
  friend Async<Outcome<Sealing>> sealing_of(Call& call);
  std::optional<keys::EnvelopeHead> x_head;
  std::optional<ClientKey> x_client;
  keys::KmsKeyPtr x_kms;
};
/// Whether the request or its bucket says anything about it; of most neither does.
bool may_seal(const Call& call);
/// What the headers say, or else the bucket; for what may_seal() is true of. Errors as AWS has
/// them; InternalError if what the bucket says cannot be read: nothing is stored in the clear by
/// mistake.
Async<Outcome<Sealing>> sealing_of(Call& call);

/// A data key and its envelope; of what is plain neither.
struct NewSeal {
  std::optional<ns::DataKey> key;
  std::string envelope;
};
NewSeal new_seal(const Call& call, const Sealing& sealing);

using DataKeyOf = Outcome<std::optional<ns::DataKey>>;  ///< empty: it is plain
/// The data key of what a GET reads, with what the client sent.
DataKeyOf read_key(const Call& call, std::string_view envelope);
/// The same for who gets to hear of the object only: the key of a client must be right, others are
/// not asked for.
Outcome<> check_read_key(const Call& call, std::string_view envelope);
/// Of the source of a copy.
DataKeyOf source_key(const Call& call, std::string_view envelope);
/// Of an upload that gets a part.
DataKeyOf part_key(const Call& call, const ns::UploadInfo& upload);
/// What CompleteMultipartUpload sends with an upload: as in AWS the client's key is needed if the
/// upload has checksums, and must be right if it is there.
Outcome<> check_complete_key(const Call& call, const ns::UploadInfo& upload);

/// Whether the ETag of an object or upload with this envelope is an MD5.
bool has_md5(std::string_view envelope);
/// Of an object: the MD5 that was computed, or a random one that stands for it.
std::string etag_of(const Call& call, std::string_view envelope, std::string md5);
/// Of a part: the MD5, or what stands for it under the upload's key (empty: it is plain). Nothing
/// where no MD5 was computed: storage makes one then.
std::string part_etag(const ns::UploadInfo& upload,
                      const std::optional<ns::DataKey>& key,
                      std::string md5);

/// x-amz-server-side-encryption* of an answer about what has this envelope. `made`: the answer is
/// the one of the request that made it, which tells the encryption context, too.
void add_encryption(const Call& call,
                    std::string_view envelope,
                    http::Response& response,
                    bool made = false);

/// Whether policies ask for the encryption of an upload that gets a part or is completed.
bool asks_of_upload(const Asker& asker, OpId op, std::string_view bucket);
/// Before such a decision: they hear of what the upload said, which its parts do not say again.
Async<> learn_upload_encryption(RequestContext& context,
                                ns::Namespace& ns,
                                const keys::Vault& vault,
                                const auth::Target& target);

/// A key that is of no use, as AWS KMS and S3 say it. `name`: what the client called it.
S3Error refusal_error(const keys::Vault& vault, keys::Refusal refusal, std::string_view name);

}  // namespace outcrop::s3
