// The composition root: builds every part in order, serves, and takes it down in reverse. The only
// place that names all the concrete classes.
#pragma once
#include <memory>

#include "server/config.h"

namespace outcrop::server {

class Gateway {
 public:
  /// Formats the blank drive directories of the configuration as a new cluster.
  static Result<void> format(const Config& config);
  /// Opens and serves: the admin listener first, S3 once the store is open. Errors are one line for
  /// the operator; Errc::config when the configuration is to blame.
  static Result<std::unique_ptr<Gateway>> start(const Config& config);
  /// Stops accepting, finishes what is in flight for up to shutdown_timeout, closes the store.
  Result<void> stop();
  /// It was stopped by itself, to be started anew: drives are there again that a start finds.
  bool wants_restart() const;
  ~Gateway();

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> x_parts;
};

}  // namespace outcrop::server
