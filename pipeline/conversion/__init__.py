"""Making models ready: conversion, checks against the reference, 8-bit trials. Needs the extra `prepare`."""
