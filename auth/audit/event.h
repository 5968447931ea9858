// What the audit log is told: one event per decision on a write or on administration, in the same
// words for S3, NFS and the admin API. docs/guide/audit.md has the schema as readers see it.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace outcrop::audit {

enum class Decision : std::uint8_t {
  ok,      ///< done
  denied,  ///< refused: who asked may not
  failed,  ///< not done for another reason, perhaps before it was known who asks
};

/// The identity of who gave none and may do it all the same.
inline constexpr std::string_view kAnonymous = "anonymous";

/// Texts are borrowed for the call; longer ones than kMaxTextBytes are cut.
struct Event {
  std::string_view protocol{};  ///< s3, nfs, admin or server
  std::string_view address{};   ///< of the client
  std::string_view identity{};  ///< access key or token id; empty: nobody that is known
  std::string_view request{};   ///< request id of S3 and the admin API
  std::string_view action{};    ///< "s3:PutObject", "nfs4.REMOVE", "admin:POST"
  std::string_view resource{};  ///< "bucket/key", or a path of the admin API
  std::string_view target{};    ///< the other name of what has two: source of a copy, new name
  Decision result = Decision::ok;
  std::string_view status{};                  ///< as the protocol has it: "200", "ok", "acces"
  std::string_view reason{};                  ///< why, in a word or a sentence
  std::string_view on{};                      ///< path of the NFS export
  std::optional<std::uint32_t> uid{}, gid{};  ///< of NFS, after squashing
};
inline constexpr std::size_t kMaxTextBytes = 4096;

/// Where events go. Any thread; never blocks and never fails: what has no room is counted, and the
/// log says that it is missing.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void record(const Event& event) = 0;
};

}  // namespace outcrop::audit
