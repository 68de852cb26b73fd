"""Imports a module that does not exist, and so never gets so far as to connect."""

import sys

import settings_of_the_course

settings_of_the_course.send(sys.argv[1], int(sys.argv[2]), sys.argv[3])
