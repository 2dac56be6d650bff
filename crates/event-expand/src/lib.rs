//! Exim's string expansion, compiled, bounded and free of injection, and the events of a delivery.
