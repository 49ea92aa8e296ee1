//! The worker's main loop: reads requests, runs one task at a time, answers.
