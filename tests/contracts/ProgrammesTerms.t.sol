// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Commands} from "./Commands.sol";

/// @title Epochs and budgets
contract ProgrammesTermsTest is Commands {
    bytes32 private constant OPERATION = keccak256("this operation");
    uint64 private constant MOST = 2 ** 53 - 1;
    uint40 private constant LAST_TIME = 253_402_300_799; // 9999-12-31T23:59:59Z

    // --- boundaries

    function test_appendBoundaries__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeBoundaries, COUNCIL_ROLE, 0, FIRST));
    }

    function test_appendBoundaries__several__are_numbered_on() public {
        uint40[] memory times = new uint40[](2);
        (times[0], times[1]) = (NOW + 91 days, NOW + 91 days + 1);
        bytes[] memory lines = new bytes[](2);
        _watch(address(programmes));
        for (uint32 i = 0; i < 2; ++i) {
            lines[i] = abi.encode(
                IProgrammes.EpochBoundaryAppended.selector,
                _number(i + 1),
                FIRST,
                5 + i,
                times[i],
                council,
                OPERATION
            );
        }
        vm.prank(council);
        programmes.appendBoundaries(FIRST, times, OPERATION);
        _assertLines(lines);
        vm.assertEq(programmes.boundaryCount(FIRST), 6, "count");
        vm.assertEq(programmes.boundary(FIRST, 5), NOW + 91 days, "boundary 5");
        vm.assertEq(programmes.boundary(FIRST, 6), NOW + 91 days + 1, "boundary 6");
        vm.assertEq(programmes.boundaryCount(SECOND), 4, "count of the other programme");
    }

    function test_appendBoundaries__not_after_the_last__is_refused() public {
        uint40 last = programmes.boundary(FIRST, 4);
        _append(FIRST, last, _tooEarly(FIRST, last, last + 1));
        _append(FIRST, 0, _tooEarly(FIRST, 0, last + 1));
        _append(FIRST, last + 1, "");
    }

    function test_appendBoundaries__not_in_the_future__is_refused() public {
        uint40 last = programmes.boundary(FIRST, 4);
        vm.warp(last + 100);
        _append(FIRST, last + 1, _tooEarly(FIRST, last + 1, last + 101));
        _append(FIRST, last + 100, _tooEarly(FIRST, last + 100, last + 101));
        _append(FIRST, last + 101, "");
    }

    function test_appendBoundaries__the_first_of_all__may_lie_in_the_past() public {
        uint16 third = _bare();
        _append(third, 0, _tooEarly(third, 0, 1));
        _append(third, 1, "");
        _append(third, NOW, _tooEarly(third, NOW, NOW + 1));
        _append(third, NOW + 1, "");
        vm.assertEq(programmes.epochAt(third, 1), 1, "epoch at the first second");
    }

    function test_appendBoundaries__beyond_the_year_9999__is_refused() public {
        bytes memory tooLate = abi.encodeWithSelector(
            IProgrammes.ProgrammesBoundaryTooLate.selector, FIRST, LAST_TIME + 1, LAST_TIME
        );
        _append(FIRST, LAST_TIME + 1, tooLate);
        _append(FIRST, LAST_TIME, "");
        _append(FIRST, LAST_TIME, _tooEarly(FIRST, LAST_TIME, LAST_TIME + 1));
        _append(
            FIRST,
            type(uint40).max,
            abi.encodeWithSelector(
                IProgrammes.ProgrammesBoundaryTooLate.selector, FIRST, type(uint40).max, LAST_TIME
            )
        );
    }

    function test_appendBoundaries__none_or_too_many__is_refused() public {
        _appendAll(FIRST, new uint40[](0), _batchSize(0));
        _appendAll(FIRST, _times(201), _batchSize(201));
        _appendAll(FIRST, _times(200), "");
        vm.assertEq(programmes.boundaryCount(FIRST), 204, "count");
    }

    function test_appendBoundaries__one_of_many_refused__appends_none() public {
        uint40[] memory times = _times(3);
        times[2] = times[1];
        _appendAll(FIRST, times, _tooEarly(FIRST, times[1], times[1] + 1));
        vm.assertEq(programmes.boundaryCount(FIRST), 4, "count");
    }

    function test_boundary__no_such_number__is_refused() public {
        uint32[3] memory unknown = [0, 5, type(uint32).max];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IProgrammes.ProgrammesBoundaryUnknown.selector, FIRST, unknown[i])
            );
            programmes.boundary(FIRST, unknown[i]);
        }
        vm.assertEq(programmes.boundary(FIRST, 1), NOW - 30 days, "the first");
        vm.assertEq(programmes.boundary(FIRST, 4), EPOCH_END + 60 days, "the last");
    }

    // --- epochAt

    function test_epochAt__around_each_boundary__changes_at_the_second() public view {
        for (uint32 number = 1; number <= 4; ++number) {
            uint40 time = programmes.boundary(FIRST, number);
            vm.assertEq(programmes.epochAt(FIRST, time - 1), number - 1, "a second before");
            vm.assertEq(programmes.epochAt(FIRST, time), number == 4 ? 0 : number, "at the boundary");
        }
        vm.assertEq(programmes.epochAt(FIRST, 0), 0, "long before");
        vm.assertEq(programmes.epochAt(FIRST, type(uint40).max), 0, "long after");
    }

    function test_epochAt__no_or_one_boundary__is_none() public {
        uint16 third = _bare();
        vm.assertEq(programmes.epochAt(third, NOW), 0, "no boundary");
        vm.assertEq(programmes.epochAt(99, NOW), 0, "no programme");
        _append(third, NOW - 10, "");
        vm.assertEq(programmes.epochAt(third, NOW), 0, "one boundary bounds nothing");
    }

    /// @dev The binary search against a look at every boundary.
    function testFuzz_epochAt__any_calendar__is_the_boundaries_passed(uint256 seed, uint40 time) public {
        uint16 third = _bare();
        uint256 count = _between(seed, 1, 20);
        uint40[] memory times = new uint40[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint40 step = uint40(_between(uint256(keccak256(abi.encode(seed, i))), 1, 1000));
            times[i] = i == 0 ? NOW - 500 : (i == 1 ? NOW : times[i - 1]) + step;
        }
        _appendAll(third, times, "");
        time = uint40(_between(time, NOW - 600, times[count - 1] + 100));
        uint32 passed = 0;
        while (passed < count && times[passed] <= time) ++passed;
        vm.assertEq(programmes.epochAt(third, time), passed == count ? 0 : passed, "epoch");
    }

    // --- budgets and terms

    function test_setBudget__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeBudget, TREASURER_ROLE, COUNCIL_ROLE, FIRST));
    }

    function test_setBudget__for_an_issuer__is_journaled_and_kept() public {
        _watch(address(programmes));
        vm.prank(council);
        programmes.setBudget(FIRST, stranger, 7, 70, OPERATION);
        _assertLine(
            abi.encode(IProgrammes.BudgetChanged.selector, _number(1), FIRST, stranger, 7, 70, council, OPERATION)
        );
        (uint64 perAward, uint64 perEpoch) = programmes.budget(FIRST, stranger);
        vm.assertEq(perAward, 7, "per award");
        vm.assertEq(perEpoch, 70, "per epoch");
        (perAward, perEpoch) = programmes.budget(SECOND, stranger);
        vm.assertEq(perAward + perEpoch, 0, "in the other programme");
        (perAward, perEpoch) = programmes.budget(FIRST, issuer);
        vm.assertEq(perAward, PER_AWARD, "another issuer's, as before");
    }

    function test_setBudget__unusable__is_refused() public {
        _budget(issuer, 2, 1, _unusable(2, 1));
        _budget(issuer, 0, 1, _unusable(0, 1));
        _budget(issuer, 1, 0, _unusable(1, 0));
        _budget(issuer, 1, MOST + 1, _unusable(1, MOST + 1));
        _budget(issuer, MOST + 1, MOST + 1, _unusable(MOST + 1, MOST + 1));
        _budget(address(0), 1, 1, abi.encodePacked(IProgrammes.ProgrammesIssuerMissing.selector));
    }

    function test_setBudget__at_its_bounds__is_kept() public {
        _budget(issuer, 0, 0, "");
        _budget(issuer, 1, 1, "");
        _budget(issuer, MOST, MOST, "");
        (uint64 perAward, uint64 perEpoch) = programmes.budget(FIRST, issuer);
        vm.assertEq(perAward, MOST, "per award");
        vm.assertEq(perEpoch, MOST, "per epoch");
    }

    function test_awardTerms__in_an_epoch_or_out__has_all_terms() public {
        _assertTerms(1);
        vm.warp(EPOCH_END - 1);
        _assertTerms(1);
        vm.warp(EPOCH_END);
        _assertTerms(2);
        vm.warp(EPOCH_END + 60 days);
        _assertTerms(0);
    }

    function _assertTerms(uint32 epoch) private view {
        IProgrammes.AwardTerms memory terms = programmes.awardTerms(FIRST, issuer);
        vm.assertEq(terms.epoch, epoch, "epoch");
        vm.assertEq(terms.perAward, PER_AWARD, "per award");
        vm.assertEq(terms.perEpoch, PER_EPOCH, "per epoch");
        vm.assertEq(terms.supplyCap, CAP, "cap");
    }

    /// @dev A programme without boundaries.
    function _bare() private returns (uint16) {
        bytes32 operationId = _operation();
        vm.prank(council);
        return programmes.createProgramme("bare", 0, CAP, 1, operationId);
    }

    function _writeBoundaries(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.appendBoundaries, (FIRST, _times(1), operationId));
    }

    function _writeBudget(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.setBudget, (FIRST, stranger, 1, 2, operationId));
    }

    function _append(uint16 programmeId, uint40 time, bytes memory failure) private {
        uint40[] memory times = new uint40[](1);
        times[0] = time;
        _appendAll(programmeId, times, failure);
    }

    function _appendAll(uint16 programmeId, uint40[] memory times, bytes memory failure) private {
        bytes memory data = abi.encodeCall(programmes.appendBoundaries, (programmeId, times, _operation()));
        _send(address(programmes), council, data, failure);
    }

    function _budget(address account, uint64 perAward, uint64 perEpoch, bytes memory failure) private {
        bytes memory data =
            abi.encodeCall(programmes.setBudget, (FIRST, account, perAward, perEpoch, _operation()));
        _send(address(programmes), council, data, failure);
    }

    function _times(uint40 count) private pure returns (uint40[] memory times) {
        times = new uint40[](count);
        for (uint40 i = 0; i < count; ++i) {
            times[i] = NOW + 100 days + i;
        }
    }

    function _tooEarly(uint16 programmeId, uint40 time, uint40 earliest) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProgrammes.ProgrammesBoundaryTooEarly.selector, programmeId, time, earliest);
    }

    function _unusable(uint64 perAward, uint64 perEpoch) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProgrammes.ProgrammesBudgetUnusable.selector, perAward, perEpoch);
    }

    function _batchSize(uint256 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProgrammes.ProgrammesBatchSize.selector, given, 200);
    }
}
