"""The lessons: from source scripts to notebooks, learners' copies and the web book."""
