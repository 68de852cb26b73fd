"""Imports a module that does not exist, and so never gets so far as to bind."""

import sys

import settings_of_the_course

settings_of_the_course.serve(sys.argv[1], int(sys.argv[2]))
